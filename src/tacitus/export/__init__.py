"""A checkpoint as an exported graph: conversion, quantisation, and the check that quality was kept."""

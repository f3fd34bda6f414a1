"""Annotations of other tools in and out, around :class:`tacitus.records.AnnotatedSentence`."""

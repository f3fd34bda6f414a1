const $ = id => document.getElementById(id);
function el(name, attributes = {}, ...children) {
  const svg = ["svg", "path", "line", "circle", "text", "rect", "title"].includes(name);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) node.setAttribute(k, v);
  node.append(...children);
  return node;
}

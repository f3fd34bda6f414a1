const data = JSON.parse(document.getElementById("data").textContent);
const groups = [...new Set(data.types.map(t => t.group))];
const palette = ["#c92a2a", "#1971c2", "#e67700", "#5f3dc4", "#2b8a3e", "#868e96"];
const color = g => groups.indexOf(g) < palette.length ? palette[groups.indexOf(g)] : `hsl(${groups.indexOf(g) * 47 % 360} 55% 45%)`;
const nice = name => name.replaceAll("-", " ");
// Offsets count code points, so texts are cut as arrays of them.
function prepare(doc) {
  const chars = Array.from(doc.text), cut = (a, b) => chars.slice(a, b).join("");
  doc.cut = cut;
  for (const e of doc.events) {
    const type = data.types[e.type];
    e.kind = type.id; e.group = type.group;
    e.names = e.roles.map(list => [...new Set(list.map(([a, b]) => cut(a, b)))]);
  }
}
function article(doc, kept) {
  const shown = doc.events.filter(e => kept.has(e)), text = el("div", { class: "text" }), marks = [], lines = new Map();
  const cuts = shown.map(e => e.sentence).concat([[doc.end ??= Array.from(doc.text).length, doc.end]]);
  const sentences = [...new Map(cuts.map(c => [c[0], c])).values()].sort((a, b) => a[0] - b[0]);
  let at = 0, next = 0;
  const fill = (node, end) => {
    for (; next < doc.spans.length && doc.spans[next][1] <= end; next++) {
      const [a, b, label] = doc.spans[next];
      const mark = el("mark", { class: ["ACTOR", "LOCATION"].includes(label) ? label : "other", title: label }, doc.cut(a, b));
      marks.push([a, mark]);
      node.append(doc.cut(at, a), mark);
      at = b;
    }
    node.append(doc.cut(at, end));
    at = end;
  };
  for (const [a, b] of sentences) {
    fill(text, a);
    if (b > a) { const line = el("span", { class: "sentence", style: `border-color:${color(shown.find(e => e.sentence[0] === a).group)}` }); fill(line, b); text.append(line); lines.set(a, line); }
  }
  const node = el("article", {}, el("h3", {}, doc.id, el("span", {}, [doc.date, doc.source].filter(Boolean).map(x => ` · ${x}`).join(""))), text);
  const chips = shown.map(e => {
    const roles = e.names.map((names, r) => names.length ? `${nice(data.roles[r])}: ${names.join(", ")}` : "").filter(Boolean).join("; ");
    const chip = el("button", { type: "button", class: "event", style: `border-left-color:${color(e.group)}`, "aria-pressed": "false" },
      el("b", {}, nice(e.kind)), el("span", { class: "c" }, ` ${e.confidence.toFixed(2)}`), roles ? ` ${roles}` : "");
    chip.addEventListener("click", () => {
      const on = !chip.classList.contains("on");
      for (const c of chips) { c.classList.remove("on"); c.setAttribute("aria-pressed", "false"); }
      for (const [, m] of marks) m.classList.remove("lit");
      for (const l of lines.values()) l.classList.remove("lit");
      node.classList.toggle("picked", on);
      if (!on) return;
      chip.classList.add("on"); chip.setAttribute("aria-pressed", "true");
      lines.get(e.sentence[0]).classList.add("lit");
      e.roles.forEach((list, r) => { for (const [a] of list) for (const [b, m] of marks) if (a === b) { m.classList.add("lit"); m.dataset.role = data.roles[r].replace(/s$/, ""); } });
    });
    return chip;
  });
  if (chips.length) node.append(el("div", { class: "events" }, ...chips));
  return node;
}

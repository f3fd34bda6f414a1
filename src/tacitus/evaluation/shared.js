/*INCLUDE page.js*/
const f3 = x => x.toFixed(3);
function table(header, rows, cls = "") {
  return el("table", { class: cls }, el("thead", {}, el("tr", {}, ...header.map(h => el("th", {}, h)))),
    el("tbody", {}, ...rows.map(r => el("tr", {}, ...r.map(c => c instanceof Node ? el("td", {}, c) : el("td", {}, String(c)))))));
}
function marked(text, layer) {
  const out = el("span"), chars = Array.from(text);
  let last = 0;
  for (const s of layer.spans || []) {
    out.append(chars.slice(last, s.start).join(""), el("mark", { class: ["ACTOR", "LOCATION"].includes(s.label) ? s.label : "other", title: s.label }, chars.slice(s.start, s.end).join("")));
    last = s.end;
  }
  out.append(chars.slice(last).join(""));
  return out;
}
function events(text, layer) {
  const chars = Array.from(text);
  return (layer.events || []).map(e => {
    const roles = Object.entries(e).filter(([k, v]) => Array.isArray(v) && v.length).map(([k, v]) => `${k}: ` + v.map(i => chars.slice(layer.spans[i].start, layer.spans[i].end).join("")).join(", "));
    return el("span", { class: "tag" }, e.type + (e.score == null ? "" : ` ${e.score.toFixed(2)}`) + (roles.length ? " — " + roles.join("; ") : ""));
  });
}

// The report's page: theme, contents that follow the reader, folded code, sorting, charts.
// It works without this script, too; what needs it is shown only where it runs (.js).
"use strict";
const root = document.documentElement;
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
root.classList.add("js");

// Words in the report's language, from the page; English where it gives none.
const words = JSON.parse(root.dataset.words ?? "{}");
const say = (text) => words[text] ?? text;

// A font of ours comes into use when it is there: what Chromium has drawn without it, it leaves so.
if (document.fonts.size) {
  root.classList.add("waits");
  Promise.all([...document.fonts].map((font) => font.load()))
    .finally(() => root.classList.remove("waits"));
}

// Theme: the system's unless the reader chose. A browser may keep nothing for a file.
const dark = matchMedia("(prefers-color-scheme: dark)");
const kept = (value) => {
  try {
    if (value) localStorage.setItem("fercore-theme", value);
    return localStorage.getItem("fercore-theme");
  } catch { return value; }
};
const theme = () => root.dataset.theme || (dark.matches ? "dark" : "light");
if (kept()) root.dataset.theme = kept();

addEventListener("DOMContentLoaded", () => {
  themeButton();
  codeButton();
  contents();
  anchors();
  all("main table").forEach(sortable);
  all(".vega").forEach(chart);
});

function themeButton() {
  const button = document.getElementById("page_theme");
  const show = () => { button.setAttribute("aria-pressed", theme() === "dark"); };
  button.addEventListener("click", () => {
    root.dataset.theme = theme() === "dark" ? "light" : "dark";
    kept(root.dataset.theme);
    show();
  });
  dark.addEventListener("change", show);
  show();
}

function codeButton() {
  const button = document.getElementById("page_code");
  const code = all("details.code");
  button.hidden = !code.length;
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", open);
    code.forEach((details) => { details.open = open; });
  });
}

// Contents: the section being read is marked, its chapter unfolded; a drawer on narrow screens.
function contents() {
  const drawer = document.querySelector("nav.contents details");
  const wide = matchMedia("(min-width: 76rem)");
  const fold = () => { drawer.open = wide.matches; };
  wide.addEventListener("change", fold);
  fold();
  const links = all("nav.contents li a");
  const heads = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
  let current;
  const follow = () => {
    const line = innerHeight / 3;
    const end = scrollY + innerHeight >= root.scrollHeight - 2;
    const passed = heads.filter((head) => head.getBoundingClientRect().top < line).length;
    const link = links[(end ? heads.length : passed) - 1];
    if (link === current) return;
    current = link;
    for (const other of links) {
      if (other === link) other.setAttribute("aria-current", "true");
      else other.removeAttribute("aria-current");
    }
    all("nav.contents .here").forEach((item) => item.classList.remove("here"));
    link?.closest("nav.contents > details > ol > li").classList.add("here");
    if (wide.matches) link?.scrollIntoView({ block: "nearest", behavior: "instant" });
  };
  addEventListener("scroll", () => requestAnimationFrame(follow), { passive: true });
  addEventListener("resize", follow);
  follow();
  drawer.addEventListener("click", (event) => {
    if (!wide.matches && event.target.closest("a")) drawer.open = false;
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !wide.matches) drawer.open = false;
  });
}

// A link to itself at every heading and caption.
function anchors() {
  for (const head of all("main :is(h2, h3, h4)[id], figure[id] figcaption")) {
    const id = head.id || head.closest("figure").id;
    const link = Object.assign(document.createElement("a"), {
      className: "anchor", href: `#${id}`, textContent: "#",
    });
    const name = head.querySelector(".label")?.textContent || head.textContent;
    link.setAttribute("aria-label", say("Link to {name}").replace("{name}", name.slice(0, 60)));
    head.append(" ", link);
  }
}

// Tables: a button in each head sorts; missing values stay last.
function sortable(table) {
  const body = table.tBodies[0];
  if (body.rows.length < 2) return;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      [...table.tHead.rows[0].cells].forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...sorted([...body.rows], column, down ? -1 : 1));
    });
  });
}

function sorted(rows, column, sign) {
  const keyed = rows.map((row) => [value(row.cells[column].textContent.trim()), row]);
  const numbers = keyed.every(([key]) => key === null || typeof key === "number");
  const texts = new Intl.Collator(root.lang, { numeric: true });  // 8-16 before 13-26
  const compare = (a, b) => (numbers ? a - b : texts.compare(String(a), String(b)));
  keyed.sort(([a], [b]) => (a === null) - (b === null) || sign * compare(a, b) || 0);
  return keyed.map(([, row]) => row);
}

// "1,234", "−0.5", "61.2 ± 1.3" and "30k" are numbers; a dash is nothing; the rest is text.
function value(text) {
  if (["", "–", say("failed")].includes(text)) return null;
  const found = /^([+−-]?[\d,]*\.?\d+)([kM]?)(\s*[±%].*)?$/.exec(text);
  if (!found) return text;
  const scale = { "": 1, k: 1e3, M: 1e6 }[found[2]];
  return scale * Number(found[1].replaceAll(",", "").replace("−", "-"));
}

// Charts: by Vega's interpreter, since the page's policy allows no code from texts. Their
// specification is of Vega-Lite 5, for JupyterLab; the version 6 of this page draws the same.
async function chart(holder) {
  const { $schema, ...spec } = JSON.parse(holder.dataset.spec);
  const { view } = await vegaEmbed(holder, { ...spec, width: "container" }, {
    mode: "vega-lite", renderer: "svg", actions: false, ast: true, tooltip: { theme: "custom" }, logLevel: 1,
  });
  const legend = () => {
    const group = holder.querySelector(".role-legend");
    group?.setAttribute("role", "group");
    group?.setAttribute("aria-label", say("Families shown"));
    group?.removeAttribute("aria-roledescription");
    const names = all(".role-legend-label text", holder);
    all(".role-legend-symbol path", holder).forEach((path, place) => {
      path.setAttribute("tabindex", "0");
      path.setAttribute("role", "button");
      path.setAttribute("aria-label", names[place].textContent);
      path.setAttribute("aria-pressed", Number(path.getAttribute("opacity") ?? 1) > 0.5);
    });
  };
  holder.addEventListener("keydown", (event) => {
    if (!["Enter", " "].includes(event.key) || !event.target.matches("path[role=button]")) return;
    event.preventDefault();
    event.target.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  });
  holder.addEventListener("click", () => view.runAsync().then(legend));
  legend();
}

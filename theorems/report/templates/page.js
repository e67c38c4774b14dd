// Filters, sorts, opens what a link leads to, copies. Without it the page can be read as well.
"use strict";
(() => {
  const page = document.documentElement;
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  page.classList.add("scripted");

  // --- links open what they lead to ---
  const open = (target) => {
    for (let part = target; part; part = part.parentElement) {
      if (part.localName === "details") part.open = true;
    }
  };
  const named = (fragment) => {
    try {
      return decodeURIComponent(fragment);
    } catch {
      return fragment;  // a % that stands for nothing
    }
  };
  const follow = () => {
    const target = document.getElementById(named(location.hash.slice(1)));
    if (!target) return;
    const whole = target.closest("details.statement");
    if (whole && whole.hidden) clear();
    open(target);
    (whole || target).scrollIntoView();
    if (whole) whole.querySelector("summary").focus({ preventScroll: true });
  };
  addEventListener("hashchange", follow);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) follow();
  });

  // --- printing opens everything that the filter shows, and says what that leaves out ---
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("main details:not([open])");
    for (const part of closed) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of closed) part.open = false;
  });

  // --- copying ---
  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      document.body.append(field);
      field.select();
      const done = document.execCommand("copy");
      field.remove();
      return done;
    }
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const text = button.dataset.copy || button.parentElement.querySelector("code").textContent;
    button.dataset.said ??= button.textContent;
    button.textContent = (await copied(text)) ? "copied" : "not copied";
    document.querySelector("[role=status]").textContent = button.textContent;  // read out
    setTimeout(() => {
      button.textContent = button.dataset.said;
      document.querySelector("[role=status]").textContent = "";
    }, 1500);
  });

  // --- filter ---
  const form = document.querySelector(".filters");
  const clear = () => { if (form) { form.reset(); filter(); } };
  const rows = all(".statements tbody tr");
  const entries = rows.map((row) => ({
    row,
    whole: document.querySelector(`details.statement[data-of="${row.dataset.of}"]`),
    words: `${row.textContent} ${row.dataset.source}`.toLowerCase(),
  }));
  const filter = () => {
    const { words, verdict, family, evidence, quantifier, changed } = form.elements;
    const asked = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { row, whole, words: said } of entries) {
      const fits = (!verdict.value || row.dataset.verdict === verdict.value)
        && (!family.value || row.dataset.family === family.value)
        && (!quantifier.value || row.dataset.quantifier === quantifier.value)
        && (!evidence.value || row.dataset.evidence.split(" ").includes(evidence.value))
        && (!changed?.checked || "changed" in row.dataset)
        && asked.every((word) => said.includes(word));
      row.hidden = whole.hidden = !fits;
      shown += fits;
    }
    for (const part of all("section.family")) {
      part.hidden = all("details.statement", part).every((whole) => whole.hidden);
    }
    document.querySelector(".nothing").hidden = shown > 0;
    form.elements.shown.textContent = `${shown} of ${entries.length}`;
    const kept = [
      ...[verdict, family, evidence, quantifier].filter((field) => field.value)
        .map((field) => `${field.name}: ${field.value}`),
      ...(asked.length ? [`words: ${asked.join(" ")}`] : []),
      ...(changed?.checked ? ["otherwise than before"] : []),
    ];
    const note = document.querySelector(".left-out");
    note.hidden = kept.length === 0;
    note.textContent = `Printed with a filter, ${kept.join(", ")}: ${shown} of ${entries.length} `
      + "statements follow, and the others are left out.";
  };
  if (form) {
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(filter));
    document.querySelector("button.clear").addEventListener("click", clear);
    for (const button of all("button.pick")) {
      button.addEventListener("click", () => {
        form.reset();
        form.elements.verdict.value = button.dataset.verdict;
        form.elements.family.value = button.dataset.family;
        filter();
        document.getElementById("statements").scrollIntoView();
        form.elements.verdict.focus({ preventScroll: true });
      });
    }
    const unfold = form.querySelector(".unfold");
    unfold.addEventListener("click", () => {
      const opening = unfold.getAttribute("aria-pressed") !== "true";
      for (const { whole } of entries) if (!whole.hidden) whole.open = opening;
      unfold.setAttribute("aria-pressed", String(opening));
      unfold.textContent = opening ? "close all" : "open all";
    });
    filter();
  }

  // --- sort ---
  const strength = all("select[name=verdict] option").map((option) => option.value);
  const value = (row, key) => {
    if (key === "name") return row.querySelector("a.name").textContent;
    if (key === "verdict") return strength.indexOf(row.dataset.verdict);
    if (key === "evidence") return row.dataset.evidence;
    return row.dataset[key] === "" ? null : Number(row.dataset[key]);
  };
  const compared = (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return a < b ? -1 : Number(a > b);
  };
  for (const head of all(".statements th[data-key]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const turns = { ascending: "descending", descending: "" };
      const now = before ? turns[before] : "ascending";
      for (const other of all(".statements th[data-key]")) other.removeAttribute("aria-sort");
      if (now) head.setAttribute("aria-sort", now);
      const { key } = head.dataset;
      const sign = now === "descending" ? -1 : 1;
      const ordered = [...rows].sort((a, b) => {
        const [left, right] = [value(a, key), value(b, key)];
        const known = left === null || right === null ? compared(left, right) : sign * compared(left, right);
        return (now && known) || a.dataset.place - b.dataset.place;
      });
      document.querySelector(".statements tbody").append(...ordered);
    });
  }

  // --- contents: open beside the page, folded above it ---
  if (!matchMedia("(min-width: 1200px)").matches) {
    document.querySelector(".contents details").open = false;
  }
  follow();
})();

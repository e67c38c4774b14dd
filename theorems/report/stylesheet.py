"""How the page looks: light, dark, narrow and on paper."""

__all__ = ["STYLESHEET"]

STYLESHEET = """\
:root {
  --paper: #ffffff; --card: #f6f8fa; --ink: #1f2328; --muted: #59636e; --grid: #d8dee4; --line: #d1d9e0;
  --link: #0550ae;
  --bad: #a5350b;
  --chip-text: #ffffff; --proved: #004f7c; --certified: #0b6aa2; --supported: #00735a; --refuted: #b5450a;
  --vacuous: #6e7781; --outside: #6e7781; --inconclusive: #8a5a87;
  --measured: #0072b2; --as-printed: #d55e00; --corrected: #009e73; --sharp: #b0489a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0d1117; --card: #161b22; --ink: #e6edf3; --muted: #9198a1; --grid: #30363d; --line: #3d444d;
    --link: #79b8ff; --bad: #ff9d66;
    --chip-text: #0d1117; --proved: #a5d6ff; --certified: #6cb6ff; --supported: #4cc9a4; --refuted: #ff9d66;
    --vacuous: #9198a1; --outside: #9198a1; --inconclusive: #d2a8d0;
    --measured: #58b4ee; --as-printed: #ff8f45; --corrected: #3ecf9d; --sharp: #e58bd3;
  }
}
* { box-sizing: border-box; }
html { color-scheme: light dark; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 64px; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
h1 { font-size: 30px; line-height: 1.2; margin: 2px 0 10px; }
h2 { font-size: 20px; line-height: 1.3; margin: 36px 0 10px; }
h3 { font-size: 15px; margin: 20px 0 6px; overflow-wrap: anywhere; }
h4 { font-size: 13px; margin: 14px 0 4px; color: var(--muted); font-weight: 600; }
.kicker { margin: 0; color: var(--muted); }
.tally { margin: 0 0 4px; }
.count { margin: 0 14px 0 6px; font-variant-numeric: tabular-nums; }
.bad { color: var(--bad); }
.note { color: var(--muted); font-size: 13px; max-width: 78ch; }
.chip { display: inline-block; padding: 0 8px; border-radius: 10px; font-size: 12.5px; font-weight: 600;
  line-height: 20px; color: var(--chip-text); background: var(--muted); white-space: nowrap; print-color-adjust: exact;
  -webkit-print-color-adjust: exact; }
.chip.proved { background: var(--proved); } .chip.certified { background: var(--certified); }
.chip.supported { background: var(--supported); } .chip.refuted { background: var(--refuted); }
.chip.vacuous { background: var(--vacuous); } .chip.outside { background: var(--outside); }
.chip.inconclusive { background: var(--inconclusive); }
dl { margin: 0; }
dd { margin: 0; overflow-wrap: anywhere; }
.environment, .facts { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; font-size: 13.5px; }
.environment { margin-top: 14px; padding: 12px 16px; background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; }
dt { color: var(--muted); }
.legend { display: grid; grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); gap: 6px 24px;
  font-size: 13.5px; }
.legend div { display: grid; grid-template-columns: 116px 1fr; align-items: baseline; }
figure { margin: 36px 0 0; break-inside: avoid; }
figure h2 { margin-top: 0; }
figcaption { color: var(--muted); font-size: 13.5px; max-width: 110ch; margin-top: 8px; }
.plot svg { display: block; width: 100%; height: auto; max-width: 1010px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th { text-align: left; color: var(--muted); font-weight: 600; border-bottom: 1px solid var(--line);
  padding: 6px 14px 6px 0; vertical-align: bottom; }
td { border-bottom: 1px solid var(--grid); padding: 7px 14px 7px 0; vertical-align: top; }
td.num, th.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.statements { margin-top: 14px; }
.statements .name { width: 38%; }
.statements .evidence { width: 30%; overflow-wrap: anywhere; }
.statements .title { color: var(--muted); overflow-wrap: anywhere; }
.method { color: var(--muted); }
.statements tr { break-inside: avoid; }
details { border: 1px solid var(--line); border-radius: 8px; margin: 6px 0; }
details:target { border-color: var(--link); }
summary { cursor: pointer; padding: 6px 12px; overflow-wrap: anywhere; }
summary .name { font-weight: 600; margin-right: 6px; }
.body { padding: 4px 16px 14px; }
.wide { overflow-x: auto; }
.wide table { font-size: 12.5px; width: auto; }
.wide td, .wide th { padding: 3px 11px 3px 0; white-space: nowrap; }
@media screen and (max-width: 760px) {
  main { padding: 20px 14px 48px; }
  h1 { font-size: 24px; }
  .environment, .facts { grid-template-columns: 1fr; gap: 0; }
  .environment dd, .facts dd { margin-bottom: 6px; }
  .legend { grid-template-columns: 1fr; }
  .plot { overflow-x: auto; }
  .plot svg { min-width: 640px; }
  .statements thead { display: none; }
  .statements, .statements tbody, .statements tr, .statements td { display: block; width: 100% !important; }
  .statements tr { border-bottom: 1px solid var(--line); padding: 8px 0; }
  .statements td { border: 0; padding: 1px 0; text-align: left; }
  .statements td[data-label] { display: grid; grid-template-columns: 96px 1fr; }
  .statements td[data-label]::before { content: attr(data-label); color: var(--muted); }
  .statements .chip { justify-self: start; }
}
@media print {
  :root { --paper: #ffffff; --card: #ffffff; --ink: #000000; --muted: #444444; --grid: #e0e0e0; --line: #aaaaaa;
    --measured: #0072b2; --as-printed: #d55e00; --corrected: #009e73; --sharp: #b0489a; }
  table, .environment, .legend, figcaption, .note { font-size: 8.5pt; }
  .chip { font-size: 8pt; }
  .legend { grid-template-columns: 1fr 1fr; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  a { color: inherit; }
  h2 { break-after: avoid; }
  details:not([open]), section:has(details):not(:has(details[open])) { display: none; }
}
"""

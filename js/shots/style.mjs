// The looks of the grid of shots and of the large picture, beside those that all panels share.

export const STYLE = `
.facet-shots .head .go { margin-left: auto; color: var(--blue); text-decoration: none; font-weight: 500; }
.facet-shots .head .go:hover { text-decoration: underline; }
.facet-shots .bar { flex: none; height: 3px; border-radius: 2px; overflow: hidden; background: var(--ground); }
.facet-shots .bar i { display: block; height: 100%; background: var(--blue); transform-origin: left; transition: transform .25s; }
.facet-shots .scroll { position: relative; flex: 1 1 0; min-height: 120px; overflow: hidden auto; border-radius: 8px; scrollbar-width: thin; scrollbar-color: var(--raised) transparent; }
.facet-shots .scroll > .empty { position: absolute; inset: 0; border-radius: 8px; background: color-mix(in srgb, var(--ground) 45%, transparent); }
.facet-shots .cells { display: grid; grid-template-columns: repeat(auto-fill, minmax(86px, 1fr)); gap: 8px 6px; padding: 2px; outline: 0; }
.facet-shots .cell { min-width: 0; border-radius: 8px; cursor: pointer; outline: 0; content-visibility: auto; contain-intrinsic-size: auto 92px auto 150px; --state: var(--quiet); }
.facet-shots .frame { position: relative; aspect-ratio: var(--aspect, 1); border-radius: 8px; overflow: hidden; background: var(--ground); }
.facet-shots .frame img { display: block; width: 100%; height: 100%; object-fit: contain; transition: opacity .15s; }
.facet-shots .frame.bare img { visibility: hidden; }
.facet-shots .mark { position: absolute; right: 4px; bottom: 4px; display: grid; place-items: center; width: 19px; height: 19px; border-radius: 50%; color: #fff; background: color-mix(in oklab, var(--state) 78%, #14171a); box-shadow: 0 0 0 1.5px rgba(20, 23, 26, .35); }
.facet-shots svg { display: block; width: 12px; height: 12px; fill: none; stroke: currentColor; stroke-width: 1.9; stroke-linecap: round; stroke-linejoin: round; }
.facet-shots .done { position: absolute; inset: auto 0 0; height: 3px; background: var(--blue); transform: scaleX(0); transform-origin: left; }
.facet-shots .cell.accepted { --state: var(--green); }
.facet-shots .cell.failed, .facet-shots .cell.retried { --state: var(--orange); }
.facet-shots .cell.pinned { --state: var(--violet); }
.facet-shots .cell.sampling { --state: var(--blue); }
.facet-shots .cell.sampling .mark svg { animation: facet-turn 1.1s linear infinite; }
.facet-shots .cell.sampling .frame { box-shadow: inset 0 0 0 2px var(--blue); }
.facet-shots .cell.waiting .mark { background: none; color: var(--quiet); box-shadow: none; }
.facet-shots .cell.waiting img { opacity: .4; }
.facet-shots .cell.failed img { opacity: .72; }
.facet-shots .cell.dropped img { opacity: .28; filter: grayscale(1); }
.facet-shots .cell.pending .frame { box-shadow: inset 0 0 0 2px var(--ink); }
.facet-shots .frame .next { position: absolute; left: 4px; top: 4px; max-width: calc(100% - 8px); padding: 0 6px; box-sizing: border-box; border-radius: 8px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; font-size: 10px; line-height: 16px; color: #fff; background: rgba(20, 23, 26, .78); }
.facet-shots .frame .next:empty { display: none; }
.facet-shots .cell:hover .frame { outline: 1.5px solid color-mix(in srgb, var(--ink) 35%, transparent); }
.facet-shots .cell[aria-selected="true"] .frame { outline: 2.5px solid var(--blue); }
.facet-shots .cell:focus-visible .frame { outline: 2.5px solid var(--blue); outline-offset: -1px; }
.facet-shots .name, .facet-shots .detail, .facet-shots .state, .facet-shots .figures { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; font-size: 11px; line-height: 14px; padding: 0 2px; }
.facet-shots .name { margin-top: 4px; font-weight: 600; }
.facet-shots .detail:empty { display: none; }
.facet-shots .detail, .facet-shots .figures { color: var(--quiet); }
.facet-shots .state { color: color-mix(in oklab, var(--state) 80%, var(--ink)); }
.facet-shots .figures .wrong { color: var(--alert); text-decoration: underline dotted; }
.facet-shots .cell.dropped .name { text-decoration: line-through; }
.facet-shots .foot { flex: none; display: flex; flex-direction: column; gap: 6px; min-height: 70px; }
.facet-shots .about { height: 34px; overflow: hidden; font-size: 11px; line-height: 17px; color: var(--quiet); }
.facet-shots .about b { color: var(--ink); font-weight: 600; }
.facet-shots .about .next, .facet-shots .about .wrong { color: var(--alert); }
.facet-actions { display: flex; gap: 6px; }
.facet-actions button { flex: 1 1 0; padding: 5px 4px; }
.facet-actions button[aria-pressed="true"] { box-shadow: inset 0 0 0 1.5px var(--violet); }
.facet-viewer { position: fixed; inset: 0; width: auto; height: auto; max-width: none; max-height: none; margin: auto; padding: 0; border: 0; border-radius: 12px; overflow: hidden; color: var(--ink); background: var(--component-node-background, var(--comfy-menu-bg, #26282c)); box-shadow: 0 18px 60px rgba(0, 0, 0, .5); }
.facet-viewer:not([open]) { display: none; }
.facet-viewer[open] { width: fit-content; height: fit-content; }
.facet-viewer::backdrop { background: rgba(0, 0, 0, .62); }
.facet-viewer .stage { position: relative; display: grid; place-items: center; min-width: min(440px, 88vw); background: rgba(0, 0, 0, .25); }
.facet-viewer img { display: block; max-width: 88vw; max-height: calc(92vh - 130px); min-height: min(480px, 60vh); object-fit: contain; }
.facet-viewer .turn { position: absolute; top: 50%; transform: translateY(-50%); padding: 12px 10px; background: rgba(20, 23, 26, .5); color: #fff; }
.facet-viewer .turn.left { left: 8px; } .facet-viewer .turn.right { right: 8px; }
.facet-viewer .said { padding: 8px 14px 0; font-size: 12px; line-height: 18px; color: var(--quiet); max-width: max(440px, 60vw); min-height: 54px; }
.facet-viewer .said b { display: block; font-size: 14px; color: var(--ink); }
.facet-viewer .said .next { color: var(--alert); }
.facet-viewer .low { display: flex; gap: 8px; padding: 8px 14px 14px; }
.facet-viewer .low .facet-actions { flex: 1; }
@keyframes facet-turn { to { transform: rotate(360deg); } }
@media (prefers-reduced-motion: reduce) { .facet-shots .mark svg { animation: none !important; } .facet-shots * { transition: none !important; } }
`;

export const COVERAGE_STYLE = `
.facet-coverage { min-height: 96px; }
.facet-coverage .scroll { position: relative; flex: 1 1 0; min-height: 0; overflow: hidden auto; outline: 0; scrollbar-width: thin; scrollbar-color: var(--raised) transparent; }
.facet-coverage .scroll:focus-visible { box-shadow: inset 0 0 0 1.5px var(--blue); border-radius: 6px; }
.facet-coverage .tables { columns: 164px; column-gap: 14px; }
.facet-coverage .empty { height: 100%; box-sizing: border-box; border-radius: 8px; background: color-mix(in srgb, var(--ground) 45%, transparent); }
.facet-coverage table { width: 100%; table-layout: fixed; border-collapse: collapse; break-inside: avoid; margin-bottom: 8px; font-size: 11px; }
.facet-coverage caption { text-align: left; font-size: 11px; font-weight: 600; color: var(--quiet); padding-bottom: 1px; }
.facet-coverage th, .facet-coverage td { padding: 0; height: 18px; font-weight: 400; text-align: left; }
.facet-coverage th { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; padding-right: 6px; }
.facet-coverage .bar { width: 52px; }
.facet-coverage .bar i { display: block; height: 7px; border-radius: 4px; box-shadow: inset 0 0 0 1px color-mix(in srgb, var(--ink) 28%, transparent); background: linear-gradient(var(--green), var(--green)) no-repeat left / calc(100% * var(--share)) 100%; }
.facet-coverage .number { width: 38px; text-align: right; color: var(--quiet); }
.facet-coverage .begun .missing .number { color: var(--alert); font-weight: 600; }
`;

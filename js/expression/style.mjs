// The looks of the expression editor, beside those that all panels share.

const TRACK = "linear-gradient(90deg, var(--raised) var(--from), var(--blue) var(--from) var(--to), var(--raised) var(--to))";

export const STYLE = `
.facet-expression { height: auto; min-height: 100%; }
.facet-expression .head { min-height: 24px; align-items: center; }
.facet-expression .turns { display: flex; gap: 4px; margin-left: auto; }
.facet-expression .turns button { padding: 3px 9px; }
.facet-expression > .empty { min-height: 190px; align-content: center; gap: 12px; border-radius: 10px; background: color-mix(in srgb, var(--ground) 45%, transparent); }
.facet-expression > .empty span { max-width: 260px; }
.facet-expression > .empty button { background: color-mix(in oklab, var(--blue) 55%, var(--ground)); }
.facet-expression .stage { position: relative; flex: none; align-self: center; max-width: 100%; overflow: hidden; border-radius: 12px; background: var(--ground); touch-action: none; }
.facet-expression .stage > img, .facet-expression .stage > svg, .facet-expression .holds, .facet-expression .placing { position: absolute; inset: 0; width: 100%; height: 100%; }
.facet-expression .stage > img { object-fit: fill; pointer-events: none; }
.facet-expression .stage > .original { opacity: 0; }
.facet-expression .stage.before > .original { opacity: 1; }
.facet-expression .stage.before > svg, .facet-expression .stage.before > .holds { visibility: hidden; }
.facet-expression .stage > svg { pointer-events: none; fill: none; stroke: #fff; stroke-width: 1.1; stroke-linejoin: round; opacity: .5; filter: drop-shadow(0 0 1px rgba(0, 0, 0, .7)); transition: opacity .2s; }
.facet-expression .stage > svg path { vector-effect: non-scaling-stroke; }
.facet-expression .stage.bare > svg { opacity: 0; }
.facet-expression .stage.bare .hold:not(:focus-visible, .held) { opacity: 0; }
.facet-expression .stage.bare:hover .hold:not(:focus-visible, .held) { opacity: .55; }
.facet-expression .holds { pointer-events: none; }
.facet-expression .hold { position: absolute; width: 22px; height: 22px; margin: -11px 0 0 -11px; padding: 0; border-radius: 50%; background: none; cursor: grab; pointer-events: auto; touch-action: none; }
.facet-expression .hold::after { content: ""; position: absolute; inset: 6px; border-radius: 50%; background: color-mix(in srgb, #fff 88%, transparent); box-shadow: 0 0 0 1.5px rgba(18, 21, 25, .65), 0 1px 4px rgba(0, 0, 0, .4); transition: inset .12s, background .12s; }
.facet-expression .hold:hover:enabled { background: none; }
.facet-expression .hold:hover::after, .facet-expression .hold:focus-visible::after { inset: 4px; }
.facet-expression .hold.moved::after { background: var(--blue); }
.facet-expression .hold.held { cursor: grabbing; }
.facet-expression .hold.held::after { inset: 3px; background: var(--orange); }
.facet-expression .hold.at-head::after, .facet-expression .hold.at-chin::after { border-radius: 4px; }
.facet-expression .hold:focus-visible { outline: none; }
.facet-expression .hold:focus-visible::after { box-shadow: 0 0 0 2px var(--blue), 0 0 0 3.5px rgba(18, 21, 25, .65); }
.facet-expression .label, .facet-expression .mark { position: absolute; left: 8px; max-width: calc(100% - 16px); padding: 3px 9px; box-sizing: border-box; border-radius: 9px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; font-size: 11px; color: #fff; background: rgba(20, 23, 26, .74); pointer-events: none; }
.facet-expression .label { bottom: 8px; }
.facet-expression .label:empty { display: none; }
.facet-expression .mark { top: 8px; visibility: hidden; }
.facet-expression .stage.before .mark { visibility: visible; }
.facet-expression .placing { cursor: crosshair; outline: 0; box-shadow: inset 0 0 0 2px var(--orange); border-radius: 12px; }
.facet-expression .placing i { position: absolute; width: 16px; height: 16px; margin: -8px 0 0 -8px; border-radius: 50%; font: 600 10px/16px Inter, system-ui, sans-serif; text-align: center; color: #14171a; background: var(--orange); box-shadow: 0 0 0 1.5px rgba(18, 21, 25, .6); pointer-events: none; }
.facet-expression .tools { display: flex; flex-wrap: wrap; gap: 5px; }
.facet-expression .tools button { flex: 1 1 auto; padding: 5px 8px; }
.facet-expression [aria-pressed="true"] { box-shadow: inset 0 0 0 1.5px var(--blue); }
.facet-expression .keeping { display: flex; margin: 0; }
.facet-expression .keeping input { flex: 1; min-width: 0; padding: 6px 10px; border: 0; border-radius: 8px; outline: 0; font: inherit; color: var(--ink); background: var(--ground); box-shadow: inset 0 0 0 1.5px var(--blue); user-select: text; }
.facet-expression .presets { display: grid; grid-template-columns: repeat(auto-fill, minmax(58px, 1fr)); gap: 5px; }
.facet-expression .presets button { display: flex; flex-direction: column; align-items: center; min-width: 0; padding: 4px 2px 3px; }
.facet-expression .presets span { max-width: 100%; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; font-size: 10.5px; line-height: 14px; }
.facet-expression .presets svg { width: 34px; height: 30px; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.facet-expression .presets .full { fill: currentColor; stroke-width: .8; }
.facet-expression .presets [aria-pressed="true"] { background: color-mix(in oklab, var(--blue) 26%, var(--ground)); }
.facet-expression .strength { display: flex; align-items: center; gap: 8px; font-size: 11px; color: var(--quiet); transition: opacity .15s; }
.facet-expression .strength.off { opacity: .45; }
.facet-expression output { flex: none; width: 34px; text-align: right; font-size: 11px; color: var(--quiet); }
.facet-expression input[type="range"] { flex: 1 1 0; min-width: 0; height: 16px; margin: 0; appearance: none; background: none; cursor: pointer; --from: 0%; --to: 0%; }
.facet-expression input[type="range"]::-webkit-slider-runnable-track { height: 4px; border-radius: 2px; background: ${TRACK}; }
.facet-expression input[type="range"]::-moz-range-track { height: 4px; border-radius: 2px; background: ${TRACK}; }
.facet-expression input[type="range"]::-webkit-slider-thumb { appearance: none; width: 12px; height: 12px; margin-top: -4px; border: 0; border-radius: 50%; background: var(--ink); box-shadow: 0 1px 3px rgba(0, 0, 0, .35); }
.facet-expression input[type="range"]::-moz-range-thumb { width: 12px; height: 12px; border: 0; border-radius: 50%; background: var(--ink); }
.facet-expression input[type="range"]:focus-visible { outline: 2px solid var(--blue); outline-offset: 1px; border-radius: 6px; }
.facet-expression .tabs { display: flex; flex-wrap: wrap; gap: 4px; }
.facet-expression .tabs button { position: relative; flex: 1 1 auto; padding: 4px 7px; font-size: 11px; }
.facet-expression .tabs [aria-expanded="true"] { background: var(--raised); }
.facet-expression .tabs i { position: absolute; right: 4px; top: 4px; width: 5px; height: 5px; border-radius: 50%; background: var(--blue); opacity: 0; }
.facet-expression .tabs .moved i { opacity: 1; }
.facet-expression .rows { display: flex; flex-direction: column; gap: 2px; }
.facet-expression .rows:empty { display: none; }
.facet-expression .row { display: flex; align-items: center; gap: 8px; min-height: 20px; }
.facet-expression .row .name { flex: none; width: 96px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; font-size: 11px; }
.facet-expression .amount { display: flex; flex: 1 1 0; align-items: center; min-width: 0; gap: 2px; }
.facet-expression .foot { min-height: 34px; max-height: 51px; overflow: hidden; font-size: 11px; line-height: 17px; color: var(--quiet); }
.facet-expression .foot.wrong { color: var(--alert); }
@media (prefers-reduced-motion: reduce) { .facet-expression * { transition: none !important; } }
`;

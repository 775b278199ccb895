// The looks of the trainer's panel, beside those that all panels share.

export const STYLE = `
.facet-training { min-height: 330px; }
.facet-training .head .loss { margin-left: auto; }
.facet-training .key { color: var(--quiet); }
.facet-training .key i { display: inline-block; width: 11px; margin-right: 5px; border-top: 2px solid var(--key); border-radius: 1px; vertical-align: 3px; }
.facet-training .key.dot i { width: 6px; height: 6px; border: 0; border-radius: 50%; background: var(--key); vertical-align: 1px; }
.facet-training .key.dotted i { border-top: 1.5px dotted var(--key); border-radius: 0; }
.facet-training .keys { display: flex; flex-wrap: wrap; gap: 2px 14px; min-height: 16px; font-size: 11px; }
.facet-training .keys b { font-weight: 500; color: var(--ink); }
.facet-training .loss b { margin-left: 2px; color: var(--ink); }
.facet-training .findings { flex: none; font-size: 11px; color: var(--quiet); }
.facet-training .findings summary { width: fit-content; border-radius: 4px; cursor: pointer; color: var(--ink); }
.facet-training .findings summary:focus-visible { outline: 2px solid var(--blue); outline-offset: 1px; }
.facet-training .findings ul { max-height: 132px; margin: 4px 0 0; padding: 0 4px 0 16px; overflow: auto; user-select: text; overflow-wrap: anywhere; }
.facet-training .findings b { font-weight: 500; color: var(--ink); }
.facet-training .plot { position: relative; flex: 1 1 0; min-height: 110px; border-radius: 8px; background: color-mix(in srgb, var(--ground) 45%, transparent); }
.facet-training .plot .empty { position: absolute; inset: 0; pointer-events: none; }
.facet-chart { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
.facet-chart path { fill: none; stroke-linejoin: round; stroke-linecap: round; }
.facet-chart text { font-size: 10px; fill: var(--quiet); }
.facet-chart .grid { stroke: var(--ink); opacity: .08; }
.facet-chart .axis { stroke: var(--ink); opacity: .18; }
.facet-chart .single { stroke: var(--blue); stroke-width: .8; opacity: .26; }
.facet-chart .smoothed { stroke: var(--blue); stroke-width: 2; }
.facet-chart .rate { stroke: var(--quiet); stroke-width: 1; opacity: .55; stroke-dasharray: 1 3; }
.facet-chart path.validation { stroke: var(--orange); stroke-width: 1; opacity: .7; }
.facet-chart circle.validation { fill: var(--orange); }
.facet-chart path.identity { stroke: var(--violet); stroke-width: 1; opacity: .7; }
.facet-chart circle.identity { fill: var(--violet); }
.facet-chart .saved { fill: var(--quiet); }
.facet-chart path.best { stroke: var(--ink); opacity: .35; stroke-dasharray: 2 3; }
.facet-chart circle.best { fill: var(--ink); }
.facet-chart text.best { fill: var(--ink); font-weight: 600; }
.facet-chart .hair { stroke: var(--ink); opacity: .3; }
.facet-chart .spot { fill: var(--blue); }
.facet-training .strip { display: flex; gap: 4px; height: 76px; flex: none; overflow: auto hidden; border-radius: 8px; scrollbar-width: none; }
.facet-training .strip:empty { display: none; }
.facet-training .strip a { position: relative; flex: none; height: 100%; border-radius: 6px; overflow: hidden; background: var(--ground); }
.facet-training .strip img { display: block; height: 100%; min-width: 48px; }
.facet-training .strip span { position: absolute; left: 4px; bottom: 4px; padding: 0 5px; border-radius: 4px; font-size: 10px; line-height: 15px; color: #fff; background: rgba(20, 23, 26, .72); }
.facet-training .foot { display: flex; align-items: center; gap: 12px; flex: none; min-height: 30px; }
.facet-training .note { flex: 1; min-width: 0; max-height: 45px; overflow: hidden; font-size: 11px; color: var(--quiet); display: -webkit-box; -webkit-line-clamp: 3; -webkit-box-orient: vertical; white-space: pre-line; overflow-wrap: anywhere; user-select: text; }
.facet-training .note.wrong { color: var(--alert); }
`;

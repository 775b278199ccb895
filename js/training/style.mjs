// The panel's looks: the front end's own colours, so that it follows every theme.

const STYLE = `
.facet-training {
  --ink: var(--component-node-foreground, var(--input-text, #ddd));
  --quiet: var(--component-node-foreground-secondary, var(--descrip-text, #999));
  --ground: var(--component-node-widget-background, var(--comfy-input-bg, #222));
  --loss: color-mix(in oklab, var(--primary-background, #2f7fd6) 72%, var(--ink));
  --held-out: color-mix(in oklab, var(--warning-background, #d08a2e) 82%, var(--ink));
  --likeness: color-mix(in oklab, var(--component-node-widget-promoted, #8a63c9) 60%, var(--ink));
  box-sizing: border-box; display: flex; flex-direction: column; gap: 6px;
  width: 100%; height: 100%; min-height: 330px; padding: 2px 0; overflow: hidden;
  color: var(--ink); font: 12px/1.35 Inter, system-ui, sans-serif;
  font-variant-numeric: tabular-nums; user-select: none;
}
.facet-training .head { display: flex; align-items: baseline; gap: 6px; white-space: nowrap; }
.facet-training .head b { font-size: 15px; font-weight: 600; letter-spacing: -.01em; }
.facet-training .head .rest { min-width: 0; overflow: hidden; text-overflow: ellipsis; color: var(--quiet); }
.facet-training .head .loss { margin-left: auto; }
.facet-training .key { color: var(--quiet); }
.facet-training .key i { display: inline-block; width: 11px; margin-right: 5px; border-top: 2px solid var(--key); border-radius: 1px; vertical-align: 3px; }
.facet-training .key.dot i { width: 6px; height: 6px; border: 0; border-radius: 50%; background: var(--key); vertical-align: 1px; }
.facet-training .key.dotted i { border-top: 1.5px dotted var(--key); border-radius: 0; }
.facet-training .keys { display: flex; flex-wrap: wrap; gap: 2px 14px; min-height: 16px; font-size: 11px; }
.facet-training .keys b { font-weight: 500; color: var(--ink); }
.facet-training .loss b { margin-left: 2px; color: var(--ink); }
.facet-training .plot { position: relative; flex: 1 1 0; min-height: 110px; border-radius: 8px; background: color-mix(in srgb, var(--ground) 45%, transparent); }
.facet-training .plot .empty { position: absolute; inset: 0; display: grid; place-items: center; padding: 16px; text-align: center; color: var(--quiet); pointer-events: none; }
.facet-chart { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
.facet-chart path { fill: none; stroke-linejoin: round; stroke-linecap: round; }
.facet-chart text { font-size: 10px; fill: var(--quiet); }
.facet-chart .grid { stroke: var(--ink); opacity: .08; }
.facet-chart .axis { stroke: var(--ink); opacity: .18; }
.facet-chart .single { stroke: var(--loss); stroke-width: .8; opacity: .26; }
.facet-chart .smoothed { stroke: var(--loss); stroke-width: 2; }
.facet-chart .rate { stroke: var(--quiet); stroke-width: 1; opacity: .55; stroke-dasharray: 1 3; }
.facet-chart path.validation { stroke: var(--held-out); stroke-width: 1; opacity: .7; }
.facet-chart circle.validation { fill: var(--held-out); }
.facet-chart path.identity { stroke: var(--likeness); stroke-width: 1; opacity: .7; }
.facet-chart circle.identity { fill: var(--likeness); }
.facet-chart .saved { fill: var(--quiet); }
.facet-chart path.best { stroke: var(--ink); opacity: .35; stroke-dasharray: 2 3; }
.facet-chart circle.best { fill: var(--ink); }
.facet-chart text.best { fill: var(--ink); font-weight: 600; }
.facet-chart .hair { stroke: var(--ink); opacity: .3; }
.facet-chart .spot { fill: var(--loss); }
.facet-training .strip { display: flex; gap: 4px; height: 76px; flex: none; overflow: auto hidden; border-radius: 8px; scrollbar-width: none; }
.facet-training .strip:empty { display: none; }
.facet-training .strip a { position: relative; flex: none; height: 100%; border-radius: 6px; overflow: hidden; background: var(--ground); }
.facet-training .strip img { display: block; height: 100%; min-width: 48px; }
.facet-training .strip span { position: absolute; left: 4px; bottom: 4px; padding: 0 5px; border-radius: 4px; font-size: 10px; line-height: 15px; color: #fff; background: rgba(20, 23, 26, .72); }
.facet-training .foot { display: flex; align-items: center; gap: 12px; flex: none; min-height: 30px; }
.facet-training .note { flex: 1; min-width: 0; max-height: 45px; overflow: hidden; font-size: 11px; color: var(--quiet); display: -webkit-box; -webkit-line-clamp: 3; -webkit-box-orient: vertical; white-space: pre-line; overflow-wrap: anywhere; user-select: text; }
.facet-training .note.wrong { color: var(--held-out); }
.facet-training button { flex: none; margin: 0; padding: 6px 12px; border: 0; border-radius: 8px; font: inherit; font-weight: 500; color: var(--ink); background: var(--ground); cursor: pointer; transition: background .15s, opacity .15s; }
.facet-training button:hover:enabled { background: var(--component-node-widget-background-hovered, var(--border-color, #4e4e4e)); }
.facet-training button:focus-visible { outline: 2px solid var(--loss); outline-offset: 1px; }
.facet-training button:disabled { opacity: .42; cursor: default; }
`;

export function addStyle() {
  if (document.getElementById("facet-training-style")) return;
  const style = document.createElement("style");
  style.id = "facet-training-style";
  style.textContent = STYLE;
  document.head.append(style);
}

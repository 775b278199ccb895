// The looks that all panels share: the front end's own colours, so that they follow every theme.

const STYLE = `
.facet-panel {
  --ink: var(--component-node-foreground, var(--input-text, #ddd));
  --quiet: var(--component-node-foreground-secondary, var(--descrip-text, #999));
  --ground: var(--component-node-widget-background, var(--comfy-input-bg, #222));
  --raised: var(--component-node-widget-background-hovered, var(--border-color, #4e4e4e));
  --blue: color-mix(in oklab, var(--primary-background, #2f7fd6) 72%, var(--ink));
  --orange: color-mix(in oklab, var(--warning-background, #d08a2e) 82%, var(--ink));
  --violet: color-mix(in oklab, var(--component-node-widget-promoted, #8a63c9) 60%, var(--ink));
  --green: color-mix(in oklab, var(--success-background, #2e9e72) 70%, var(--ink));
  --alert: color-mix(in oklab, var(--orange) 70%, var(--ink));
  box-sizing: border-box; display: flex; flex-direction: column; gap: 6px;
  width: 100%; height: 100%; padding: 2px 0; overflow: hidden;
  color: var(--ink); font: 12px/1.35 Inter, system-ui, sans-serif;
  font-variant-numeric: tabular-nums; user-select: none;
}
.facet-panel .head { display: flex; align-items: baseline; gap: 6px; white-space: nowrap; }
.facet-panel .head b { font-size: 15px; font-weight: 600; letter-spacing: -.01em; }
.facet-panel .head .rest { min-width: 0; overflow: hidden; text-overflow: ellipsis; color: var(--quiet); }
.facet-panel .empty { display: grid; place-items: center; padding: 16px; text-align: center; color: var(--quiet); }
.facet-panel button { flex: none; margin: 0; padding: 6px 12px; border: 0; border-radius: 8px; font: inherit; font-weight: 500; color: var(--ink); background: var(--ground); cursor: pointer; transition: background .15s, opacity .15s; }
.facet-panel button:hover:enabled { background: var(--raised); }
.facet-panel button:focus-visible { outline: 2px solid var(--blue); outline-offset: 1px; }
.facet-panel button:disabled { opacity: .42; cursor: default; }
`;

/** Puts a style sheet into the page once, after the one that all panels share. */
export function addStyle(name, text) {
  if (name !== "panel") addStyle("panel", STYLE);
  const id = `facet-${name}-style`;
  if (document.getElementById(id)) return;
  const style = document.createElement("style");
  style.id = id;
  style.textContent = text;
  document.head.append(style);
}

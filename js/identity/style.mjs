// The looks of the scorer's panel, beside those that all panels share.

export const STYLE = `
.facet-identity { min-height: 118px; }
.facet-identity .verdict { flex: 1 1 0; min-height: 40px; box-sizing: border-box; padding: 8px 10px; overflow: hidden auto; border-radius: 8px; background: color-mix(in srgb, var(--ground) 45%, transparent); user-select: text; scrollbar-width: thin; scrollbar-color: var(--raised) transparent; }
.facet-identity .verdict.empty { display: grid; user-select: none; }
.facet-identity .verdict:focus-visible { outline: 2px solid var(--blue); outline-offset: -2px; }
.facet-identity .foot { display: flex; align-items: center; gap: 8px; flex: none; }
.facet-identity select { flex: 1; min-width: 0; height: 30px; padding: 0 8px; border: 0; border-radius: 8px; font: inherit; color: var(--ink); background: var(--ground); cursor: pointer; }
.facet-identity select[hidden] { display: none; }
.facet-identity .open { flex: none; margin-left: auto; padding: 7px 14px; border-radius: 8px; font-weight: 500; color: var(--ink); background: var(--raised); text-decoration: none; transition: background .15s, opacity .15s; }
.facet-identity .open[href]:hover { opacity: .85; }
.facet-identity select:focus-visible, .facet-identity .open:focus-visible { outline: 2px solid var(--blue); outline-offset: 1px; }
.facet-identity .open:not([href]) { opacity: .42; }
`;

// The looks of the curator's gallery, beside those that all panels share.

export const STYLE = `
.facet-curator { container-type: inline-size; }
.facet-curator.bare .filters { display: none; }
.facet-curator .head { align-items: center; gap: 8px; min-height: 30px; }
.facet-curator .head .rest { flex: 1; }
.facet-curator .head .number { padding: 3px 10px; border-radius: 14px; font-weight: 650; font-size: 13px; color: var(--grade); background: color-mix(in srgb, var(--grade) 16%, transparent); }
.facet-curator .number.good { --grade: var(--green); } .facet-curator .number.fair { --grade: var(--orange); }
.facet-curator .number.poor { --grade: color-mix(in oklab, #e0524d 78%, var(--ink)); }
.facet-curator .number.stale { background: none; box-shadow: inset 0 0 0 1.5px color-mix(in srgb, var(--grade) 55%, transparent); }
.facet-curator .head .go[aria-pressed="false"] { color: #fff; background: color-mix(in oklab, var(--blue) 80%, #14171a); }
.facet-curator .head .go[aria-pressed="true"] { color: var(--green); background: none; }
.facet-curator .filters { flex: none; display: flex; flex-wrap: wrap; gap: 6px; }
.facet-curator :is(input, select, textarea) { box-sizing: border-box; min-width: 0; margin: 0; padding: 5px 8px; border: 0; border-radius: 8px; outline: 0; font: inherit; color: var(--ink); background: var(--ground); user-select: text; box-shadow: inset 0 0 0 1px color-mix(in srgb, var(--ink) 9%, transparent); }
.facet-curator select { cursor: pointer; text-overflow: ellipsis; }
.facet-curator select option { color: var(--ink); background: var(--component-node-background, var(--comfy-menu-bg, #26282c)); }
.facet-curator :is(input, select, textarea):focus-visible { box-shadow: inset 0 0 0 1.5px var(--blue); }
.facet-curator ::placeholder { color: var(--quiet); opacity: 1; }
.facet-curator .filters .search { flex: 2 1 120px; }
.facet-curator .filters select { flex: 1 1 64px; color: var(--quiet); }
.facet-curator .filters select.set { color: var(--ink); box-shadow: inset 0 0 0 1.5px color-mix(in srgb, var(--blue) 70%, transparent); }
.facet-curator .filters .only { padding: 5px 10px; color: var(--blue); }
.facet-curator .body { flex: 1 1 0; min-height: 0; display: grid; grid-template: minmax(0, 1fr) / minmax(0, 1fr) 264px; gap: 10px; }
.facet-curator .left { position: relative; min-height: 0; }
.facet-curator .left .empty { position: absolute; inset: 0; border-radius: 8px; background: color-mix(in srgb, var(--ground) 45%, transparent); }
.facet-curator :is(.scroll, .inspector) { height: 100%; overflow: hidden auto; outline: 0; border-radius: 8px; scrollbar-width: thin; scrollbar-color: var(--raised) transparent; }
.facet-curator .scroll:focus-visible { box-shadow: inset 0 0 0 1px color-mix(in srgb, var(--blue) 55%, transparent); }
.facet-curator .space { position: relative; }
.facet-curator .cell { position: absolute; cursor: pointer; }
.facet-curator .frame { position: relative; height: var(--tall); border-radius: 8px; overflow: hidden; background: var(--ground); }
.facet-curator .frame img { display: block; width: 100%; height: 100%; object-fit: contain; }
.facet-curator .cell.left_out img { opacity: .3; filter: grayscale(1); }
.facet-curator .cell:hover .frame { outline: 1.5px solid color-mix(in srgb, var(--ink) 35%, transparent); }
.facet-curator .cell[aria-selected="true"] .frame { outline: 2.5px solid var(--blue); }
.facet-curator .cell.current:not([aria-selected="true"]) .frame { outline: 1.5px dashed var(--blue); }
.facet-curator .under { height: 17px; padding: 1px 3px 0; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; font-size: 11px; line-height: 16px; color: var(--quiet); }
.facet-curator .cell[aria-selected="true"] .under { color: var(--ink); }
.facet-curator .cell.left_out .under { text-decoration: line-through; }
.facet-curator .mark { position: absolute; display: grid; place-items: center; min-width: 18px; height: 18px; box-sizing: border-box; border-radius: 9px; font-size: 11px; font-weight: 650; line-height: 1; color: #fff; background: rgba(20, 23, 26, .74); }
.facet-curator .mark svg { width: 11px; height: 11px; fill: none; stroke: currentColor; stroke-width: 1.9; stroke-linecap: round; stroke-linejoin: round; }
.facet-curator .mark.wrong { right: 4px; top: 4px; padding: 0 5px; background: color-mix(in oklab, var(--orange) 82%, #14171a); }
.facet-curator .mark.out { inset: 0; width: 34px; height: 34px; margin: auto; border-radius: 50%; }
.facet-curator .mark.out svg { width: 18px; height: 18px; }
.facet-curator .mark.hand { left: 4px; bottom: 4px; background: color-mix(in oklab, var(--violet) 82%, #14171a); }
.facet-curator .mark.times { right: 4px; bottom: 4px; padding: 0 6px; }
.facet-curator .inspector { display: flex; flex-direction: column; gap: 8px; padding-right: 2px; }
.facet-curator .inspector > * { flex: none; }
.facet-curator .pictures { display: grid; gap: 4px; height: 150px; border-radius: 8px; overflow: hidden; background: var(--ground); cursor: zoom-in; }
.facet-curator .pictures img { display: block; width: 100%; height: 100%; min-height: 0; object-fit: contain; }
.facet-curator .pictures:not([data-count="1"]) { grid-template-columns: repeat(4, 1fr); height: 64px; }
.facet-curator .pictures:not([data-count="1"]) img { object-fit: cover; }
.facet-curator .title { font-weight: 600; color: var(--quiet); }
.facet-curator .quiet { color: var(--quiet); }
.facet-curator .line { display: flex; align-items: center; gap: 6px; }
.facet-curator .fields { display: flex; flex-direction: column; gap: 8px; }
.facet-curator .fields .line button[aria-pressed] { flex: 1 1 0; padding: 5px 6px; color: var(--quiet); }
.facet-curator .fields .line button[aria-pressed="true"] { color: var(--ink); box-shadow: inset 0 0 0 1.5px color-mix(in srgb, var(--green) 75%, transparent); }
.facet-curator .fields .line button[data-decide="out"][aria-pressed="true"] { box-shadow: inset 0 0 0 1.5px color-mix(in srgb, var(--orange) 75%, transparent); }
.facet-curator .weight { display: flex; align-items: center; gap: 5px; } .facet-curator .weight input { width: 52px; text-align: right; }
.facet-curator .weight input::-webkit-inner-spin-button { display: none; }
.facet-curator .captionBox .line { min-height: 20px; }
.facet-curator .chip { padding: 0 7px; border-radius: 8px; font-size: 11px; line-height: 16px; color: #fff; background: color-mix(in oklab, var(--violet) 82%, #14171a); }
.facet-curator button.plain { margin-left: auto; padding: 0 2px; background: none; color: var(--blue); }
.facet-curator textarea { display: block; width: 100%; resize: vertical; min-height: 62px; line-height: 16px; }
.facet-curator .tags { display: grid; grid-template-columns: 1fr 1fr; gap: 6px; }
.facet-curator .tags label { display: flex; flex-direction: column; gap: 1px; min-width: 0; font-size: 11px; }
.facet-curator .tags :is(select, input) { width: 100%; font-size: 12px; }
.facet-curator .tags :is([data-axis="outfit"], [data-axis="background"]) { grid-column: 1 / -1; }
.facet-curator .findings { display: flex; flex-direction: column; gap: 6px; }
.facet-curator .findings p { margin: 0; font-size: 11px; line-height: 15px; overflow-wrap: anywhere; }
.facet-curator .finding { padding: 7px 8px; border-radius: 8px; background: color-mix(in srgb, var(--ground) 60%, transparent); box-shadow: inset 2.5px 0 0 color-mix(in srgb, var(--orange) 80%, transparent); display: flex; flex-direction: column; gap: 2px; }
.facet-curator .finding .line { align-items: flex-start; justify-content: space-between; }
.facet-curator .finding b { font-weight: 600; }
.facet-curator .finding .kind { flex: 0 1 auto; padding: 0; text-align: left; font-weight: 600; background: none; }
.facet-curator .finding .kind:hover, .facet-curator button.plain:hover { text-decoration: underline; background: none; }
.facet-curator .finding .kind[aria-pressed="true"] { color: var(--blue); }
.facet-curator .finding .fix { padding: 1px 8px; font-size: 11px; background: var(--raised); }
.facet-curator .finding p { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
.facet-curator .foot { flex: none; height: 16px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; font-size: 11px; line-height: 16px; color: var(--quiet); }
.facet-curator .foot.wrong { color: var(--alert); }
@container (max-width: 560px) { .facet-curator .body { grid-template: minmax(130px, 1fr) minmax(0, 46%) / minmax(0, 1fr); } .facet-curator .filters .search { flex-basis: 100%; } .facet-curator .pictures[data-count="1"] { height: 84px; } }
`;

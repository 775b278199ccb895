// The rig and the presets that the page is given, as they stand in the pack.

import { readFile } from "node:fs/promises";

import { Rig } from "../../../js/expression/rig.mjs";

const folder = new URL("../../../engine/generate/expression/", import.meta.url);
const read = async (name) => JSON.parse(await readFile(new URL(name, folder), "utf8"));

export const table = await read("rig.json");
export const presets = Object.fromEntries(
  Object.entries(await read("presets.json")).map(([name, { sliders }]) => [name, sliders]),
);
export const rig = new Rig({ rig: table, presets });

// The shapes that the panels work with: what the server tells, and the little that is used of
// ComfyUI's front end. For the type checker alone.

/** A decision on a shot, as the widget keeps it. */
export interface ShotDecision {
  state: string;
  roll?: number;
  hash?: string;
}

export interface Score {
  gate: string;
  value: number | null;
  threshold: number | null;
  /** null where it was not measured. */
  passed: boolean | null;
  note: string;
}

/** A shot in the grid. */
export interface ShotCell {
  index: number;
  name: string;
  tags: Record<string, string>;
  decision: ShotDecision;
  state: string;
  /** Names the image on disk; "" until there is one. */
  key: string;
  /** The key of the image that this one replaces. */
  earlier?: string;
  hash: string;
  size: [width: number, height: number] | null;
  attempt: number;
  tries: number;
  scores: Score[];
  /** A data URL while it is not on disk yet. */
  picture: string;
}

/** What a node's shots are by now, or what has changed of them since revision `after`. */
export interface GridView {
  node: string;
  workflow: string;
  folder: string;
  grid: string | null;
  sheet: string | null;
  state: string;
  note: string;
  after: number;
  revision: number;
  cells: ShotCell[];
}

/** step, loss, smoothed loss, learning rate. */
export type LossRow = [number, number, number | null, number | null];

/** What a training is by now, or the steps since `after`. */
export interface TrainingView {
  node: string;
  workflow: string;
  run: string;
  folder: string;
  state: string;
  note: string;
  step: number;
  steps: number;
  eta: number | null;
  after: number;
  rows: LossRow[];
  validation: [step: number, loss: number][];
  identity: [step: number, similarity: number][];
  checkpoints: number[];
  best: number | null;
  samples: { filename: string; subfolder: string; step: number | null }[];
  lint?: { number: number; count: number; findings: { says: string; effect: string }[] };
}

/** A panel that follows what its node does. */
export interface LivePanel {
  view: object | null;
  /** False when there is a gap before the message. */
  take(view: object): boolean;
  /** Takes up a message whose beginning nobody knows any more. */
  begin?(view: object): void;
  forget(): void;
  takePreview?(preview: object): void;
}

/** A person's decision on an image in the curator. */
export interface Choice {
  include?: boolean;
  weight?: number;
  caption?: string;
  tags?: Record<string, string>;
}

/** An image in the curator, as it came. */
export interface CuratedShot {
  hash: string;
  caption: string;
  /** The caption by hand that another one has replaced. */
  outdated?: string;
  by_hand: boolean;
  include: boolean;
  weight: number;
  tags: Record<string, string>;
  size: [width: number, height: number];
  /** The file that it came from, or that it is exported to. */
  name: string;
  original: boolean;
}

/** An image as it is after a person's choice. */
export interface Outcome {
  include: boolean;
  weight: number;
  tags: Record<string, string>;
  caption: string;
  byHand: boolean;
  own: boolean;
}

export interface Finding {
  kind: string;
  says: string;
  effect: string;
  remedy: string;
  shots: string[];
  fix: { shot: string; action: string; value: unknown } | null;
}

/** Phrases by axis and value. */
export type Vocabulary = Record<string, Record<string, string>>;

/** A dataset in the curator. */
export interface GalleryView {
  folder: string;
  set: string;
  review: boolean;
  held: boolean;
  shots: CuratedShot[];
  vocabulary: Vocabulary;
  kept: { shots: Record<string, Choice> } | null;
  curation: { shots: Record<string, Choice> };
  report: { number: number; findings: Finding[]; skipped: string[] };
}

export interface GalleryItem {
  hash: string;
  shot: CuratedShot;
  now: Outcome;
  findings: Finding[];
}

export type Point = [x: number, y: number];

/** A face, or a whole image without one. */
export interface Face {
  key: string;
  size: [width: number, height: number];
  /** A data URL. */
  picture: string;
  landmarks: Point[] | null;
  yaw: number;
}

/** What the expression editor showed after its last run. */
export interface ExpressionView {
  pictures: { whole: string; faces: string[] }[];
  notes: { picture: number; code: string; text: string; count?: number }[];
  copied?: Record<string, number>;
  /** Whether a model paints what moves. */
  paints?: boolean;
  points: string;
}

export interface Move {
  group: string;
  /** In outer-eye distances. */
  u?: number;
  v?: number;
  /** The group whose points this one's move to, by `share` of the way. */
  towards?: string;
  share?: number;
}

export interface Slider {
  name: string;
  region: string;
  low: number;
  high: number;
  moves: Move[];
}

/** engine/generate/expression/rig.json */
export interface RigTable {
  regions: string[];
  sliders: Slider[];
  groups: Record<string, { points: number[]; weights?: number[] }>;
  template: { points: number[]; mirrored: number[] }[];
  outline: number[];
  hand_placed: { point: number }[];
}

export interface Widget {
  name: string;
  value: unknown;
  serialize?: boolean;
  options?: { values?: string[] };
  callback?(value: unknown): unknown;
  /** What goes into the prompt of `node`, whose id is the one that it runs under. */
  serializeValue?(node: { id: number | string }): unknown;
}

export interface ComfyNode {
  id: number | string;
  comfyClass: string;
  properties: Record<string, any>;
  widgets: Widget[];
  size: [width: number, height: number];
  graph?: ComfyGraph;
  subgraph?: ComfyGraph;
  setSize(size: [number, number]): void;
  computeSize(): [number, number];
  setDirtyCanvas(front: boolean, back: boolean): void;
  addDOMWidget(name: string, type: string, element: HTMLElement, options: object): Widget;
}

export interface ComfyGraph {
  id: string;
  nodes: ComfyNode[];
  getNodeById(id: string): ComfyNode | null;
}

export interface ComfyApp {
  graph: ComfyGraph;
  rootGraph?: ComfyGraph;
  canvas: { processMouseWheel(event: WheelEvent): void; canvas: HTMLCanvasElement };
  extensionManager?: {
    setting?: { get(name: string): any };
    toast?: { add(message: { severity: string; summary: string; detail: string }): void };
    workflow?: {
      activeWorkflow?: {
        changeTracker?: { captureCanvasState?(): void };
        activeMode?: string | null;
        initialMode?: string | null;
      };
    };
  };
  registerExtension(extension: object): void;
  queuePrompt(number: number, batch: number, nodes?: string[]): Promise<boolean>;
}

export interface ComfyApi {
  fetchApi(path: string, options?: RequestInit): Promise<Response>;
  apiURL(path: string): string;
  addEventListener(name: string, told: (event: CustomEvent) => void): void;
  dispatchEvent(event: CustomEvent): boolean;
}

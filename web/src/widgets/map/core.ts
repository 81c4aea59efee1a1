/**
 * The map itself, on a canvas: land once into a picture that is kept, over it a
 * dot for every country and the arcs of the last moment. It knows no framework:
 * whoever holds the canvas feeds it and tells it when colours change.
 */
import { type GeoProjection, geoNaturalEarth1, geoPath } from "d3-geo";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import world from "world-atlas/land-110m.json";
import { type Arc, ArcField, ageOf, LIFE, type Rank, radiusOf, widthOf } from "./arcs";
import { middleOf, type Place } from "./countries";
import type { Row } from "./tally";

export interface MapColours {
  sea: string;
  land: string;
  coast: string;
  muted: string;
  text: string;
  /** By rank, informational to critical. */
  severity: readonly [string, string, string, string, string];
}

export interface MapSettings {
  colours: MapColours;
  /** Where the decoys stand, when somebody said so. */
  home?: Place;
  /** The word beside our end. */
  label: string;
  /** The font of the word. */
  font: string;
  /** No motion: arcs become dots that are there for their life and then are not. */
  still: boolean;
}

const land = feature(
  world as unknown as Topology<{ land: GeometryCollection }>,
  (world as unknown as Topology<{ land: GeometryCollection }>).objects.land,
);

/** South of this there is only ice. */
const SOUTH = -58;
/** Below this no map can be read; nothing is drawn. */
const SMALLEST = 40;

export class WorldMap {
  readonly arcs = new ArcField();
  #canvas: HTMLCanvasElement;
  #base: HTMLCanvasElement;
  #settings: MapSettings;
  #rows: readonly Row[] = [];
  #projection: GeoProjection = geoNaturalEarth1();
  #width = 0;
  #height = 0;
  #scale = 1;
  #frame = 0;
  #timer = 0;
  #foot = 0;
  #seen = true;
  #marked = "";
  #clock: () => number;
  /** Frames drawn since the start; tests look at it. */
  frames = 0;

  constructor(canvas: HTMLCanvasElement, settings: MapSettings, clock: () => number = () => performance.now()) {
    this.#canvas = canvas;
    this.#base = document.createElement("canvas");
    this.#settings = settings;
    this.#clock = clock;
    document.addEventListener("visibilitychange", this.#wake);
  }

  /** Gives the map its size in CSS pixels. The picture of the land is drawn again. */
  resize(width: number, height: number, scale: number): void {
    const [w, h] = [Math.floor(width), Math.floor(height)];
    if (w === this.#width && h === this.#height && scale === this.#scale) return;
    this.#width = w;
    this.#height = h;
    this.#scale = Math.min(3, Math.max(1, scale));
    for (const canvas of [this.#canvas, this.#base]) {
      canvas.width = Math.max(1, Math.round(w * this.#scale));
      canvas.height = Math.max(1, Math.round(h * this.#scale));
    }
    this.#drawLand();
    this.draw();
  }

  /** Takes other colours, another home, another wish about motion. */
  set(settings: MapSettings): void {
    this.#settings = settings;
    this.#drawLand();
    this.draw();
  }

  /** What every country came to; the dots stay until the next call. */
  totals(rows: readonly Row[]): void {
    this.#rows = rows;
    this.#wake();
  }

  /** Something came from a country just now. */
  hit(country: string, count: number, rank: Rank): void {
    this.arcs.add(country, count, rank, this.#clock());
    this.#wake();
  }

  /** The country that is pointed at in the table, or none. */
  mark(country: string): void {
    if (country === this.#marked) return;
    this.#marked = country;
    this.#wake();
  }

  /** Whether the canvas is in view; out of it nothing is drawn. */
  visible(yes: boolean): void {
    this.#seen = yes;
    this.#wake();
  }

  destroy(): void {
    document.removeEventListener("visibilitychange", this.#wake);
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.arcs.clear();
  }

  /** The country whose dot is under a point in CSS pixels. */
  at(x: number, y: number): string | undefined {
    let best: string | undefined;
    let least = 14 * 14;
    for (const row of this.#rows) {
      const point = this.#place(row.country);
      if (!point) continue;
      const distance = (point[0] - x) ** 2 + (point[1] - y) ** 2;
      if (distance < least) {
        least = distance;
        best = row.country;
      }
    }
    return best;
  }

  #wake = (): void => {
    if (document.hidden || !this.#seen) {
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
      return;
    }
    if (this.#settings.still) {
      // One picture now and one when the last of it has lived: nothing moves.
      this.draw();
      clearTimeout(this.#timer);
      if (this.arcs.size > 0) this.#timer = window.setTimeout(this.#wake, LIFE);
      return;
    }
    if (this.#frame === 0) this.#frame = requestAnimationFrame(this.#tick);
  };

  #tick = (): void => {
    this.#frame = 0;
    this.draw();
    if (this.arcs.size > 0) this.#wake();
  };

  #drawLand(): void {
    const context = this.#base.getContext("2d");
    if (!context || this.#width < SMALLEST || this.#height < SMALLEST) return;
    const { sea, land: ground, coast } = this.#settings.colours;
    // Without the south pole: nobody attacks from there, and the rest is larger.
    this.#projection = geoNaturalEarth1()
      .rotate([-11, 0])
      .fitExtent(
        [
          [4, 4],
          [this.#width - 4, this.#height - 4],
        ],
        {
          type: "MultiPoint",
          coordinates: [
            [-168.9, 0],
            [190.9, 0],
            [11, 80],
            [11, SOUTH],
          ],
        },
      );
    this.#foot = this.#projection([11, SOUTH])?.[1] ?? this.#height;
    this.#projection.clipExtent([
      [-1, -1],
      [this.#width + 1, this.#foot],
    ]);
    context.setTransform(this.#scale, 0, 0, this.#scale, 0, 0);
    context.fillStyle = sea;
    context.fillRect(0, 0, this.#width, this.#height);
    const path = geoPath(this.#projection, context);
    context.beginPath();
    path(land);
    context.fillStyle = ground;
    context.fill();
    context.lineWidth = 0.6;
    context.strokeStyle = coast;
    context.stroke();
  }

  #place(country: string): [number, number] | undefined {
    const middle = middleOf(country);
    return middle ? (this.#projection([middle[0], middle[1]]) ?? undefined) : undefined;
  }

  /** Where arcs end: the place somebody gave, else the foot of the map, which is no place. */
  #end(): [number, number] {
    const { home } = this.#settings;
    const at = home && this.#projection([home[0], home[1]]);
    return at ?? [this.#width / 2, Math.min(this.#height - 10, this.#foot + 24)];
  }

  /** Draws all of it once. */
  draw(): void {
    const context = this.#canvas.getContext("2d");
    if (!context || this.#width < SMALLEST || this.#height < SMALLEST) return;
    this.frames++;
    const now = this.#clock();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.#base, 0, 0);
    context.setTransform(this.#scale, 0, 0, this.#scale, 0, 0);
    for (const row of this.#rows) this.#drawDot(context, row);
    const arcs = this.arcs.live(now);
    const end = this.#end();
    for (const arc of arcs) {
      const from = this.#place(arc.country);
      if (!from) continue;
      if (this.#settings.still) this.#drawStill(context, from, arc);
      else this.#drawArc(context, from, end, arc, ageOf(arc, now));
    }
    this.#drawHome(context, end);
  }

  /** Dots of a small map are small. */
  #size(): number {
    return Math.min(1.2, Math.max(0.45, this.#width / 900));
  }

  #drawDot(context: CanvasRenderingContext2D, row: Row): void {
    const at = this.#place(row.country);
    if (!at) return;
    const { severity, text } = this.#settings.colours;
    const radius = radiusOf(row.count) * this.#size();
    context.globalAlpha = 0.85;
    context.fillStyle = severity[row.rank];
    context.beginPath();
    context.arc(at[0], at[1], radius, 0, 2 * Math.PI);
    context.fill();
    context.globalAlpha = 1;
    if (row.country === this.#marked) {
      context.strokeStyle = text;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(at[0], at[1], radius + 4, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  #drawStill(context: CanvasRenderingContext2D, from: [number, number], arc: Arc): void {
    context.strokeStyle = this.#settings.colours.severity[arc.rank];
    context.lineWidth = 2;
    context.beginPath();
    context.arc(from[0], from[1], 4 + widthOf(arc.count) * 1.5, 0, 2 * Math.PI);
    context.stroke();
  }

  #drawArc(
    context: CanvasRenderingContext2D,
    from: [number, number],
    to: [number, number],
    arc: Arc,
    age: number,
  ): void {
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    const length = Math.hypot(dx, dy);
    // The bend is a quarter of the way, always upwards.
    const lift = Math.min(90, length * 0.25);
    const middle: [number, number] = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2 - lift];
    const head = Math.min(1, age / 0.6);
    const tail = Math.max(0, (age - 0.35) / 0.65);
    context.globalAlpha = 1 - 0.6 * age;
    context.strokeStyle = this.#settings.colours.severity[arc.rank];
    context.lineWidth = widthOf(arc.count);
    context.lineCap = "round";
    context.beginPath();
    const steps = 24;
    for (let step = 0; step <= steps; step++) {
      const t = tail + ((head - tail) * step) / steps;
      const u = 1 - t;
      const x = u * u * from[0] + 2 * u * t * middle[0] + t * t * to[0];
      const y = u * u * from[1] + 2 * u * t * middle[1] + t * t * to[1];
      if (step === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  /** Our end: a small square, so that it is not taken for an attacker's dot. */
  #drawHome(context: CanvasRenderingContext2D, [x, y]: [number, number]): void {
    const { text, sea } = this.#settings.colours;
    context.fillStyle = text;
    context.strokeStyle = sea;
    context.lineWidth = 2;
    context.beginPath();
    context.rect(x - 4, y - 4, 8, 8);
    context.stroke();
    context.fill();
    context.font = this.#settings.font;
    context.textBaseline = "middle";
    context.fillText(this.#settings.label, x + 9, y);
  }
}

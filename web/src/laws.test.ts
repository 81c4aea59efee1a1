/** The laws of README.md, as far as a program can hold them. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = resolve(__dirname);
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.(ts|tsx|css)$/.test(name) && !name.endsWith("schema.d.ts"))
  .map((name) => ({ name: name.replaceAll("\\", "/"), text: readFileSync(join(SRC, name), "utf8") }));
const code = files.filter((file) => /\.tsx?$/.test(file.name) && !/\.test\.tsx?$/.test(file.name));
const uncommented = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");

/** What a folder may import, besides itself. */
const MAY: Record<string, string[]> = {
  rooms: ["widgets", "design", "api", "lib", "locale"],
  widgets: ["design", "lib", "locale"],
  api: ["lib"],
  design: ["lib"],
  locale: ["lib"],
  lib: [],
  shell: ["rooms", "widgets", "design", "api", "lib", "locale"],
};

const imports = (text: string): string[] =>
  [...text.matchAll(/(?:from\s+|import\s+|import\(\s*)["']([^"']+)["']/g)].map((found) => found[1] ?? "");

describe("imports", () => {
  for (const file of code) {
    const parts = file.name.split("/");
    const floor = parts[0] ?? "";
    if (parts.length < 2) continue; // main.tsx
    it(file.name, () => {
      for (const target of imports(uncommented(file.text))) {
        if (!target.startsWith(".")) continue;
        const to = relative(SRC, resolve(SRC, dirname(file.name), target))
          .replaceAll("\\", "/")
          .split("/");
        const room = to[0] ?? "";
        if (room === floor && floor !== "rooms") continue;
        if (floor === "rooms" && room === "rooms") {
          expect(to[1], `${file.name} imports another room`).toBe(parts[1]);
          continue;
        }
        expect(MAY[floor], `${file.name} imports ${target}`).toContain(room);
      }
    });
  }
});

describe("what the policy of the page forbids", () => {
  const forbidden: [RegExp, string][] = [
    [
      /innerHTML|outerHTML|dangerouslySetInnerHTML|insertAdjacentHTML|document\.write|srcdoc|createContextualFragment/i,
      "HTML made of strings",
    ],
    [/\beval\s*\(|new Function\s*\(|setTimeout\(\s*["'`]/, "code made of strings"],
    [/\bstyle="/, "style attributes"],
    [/setAttribute\(\s*["'](style|on\w+)["']/, "attributes that act"],
    [/<style[\s>]/, "style elements"],
    [/https?:\/\/(?!www\.w3\.org\/)[\w-]+\.[\w.-]+/, "addresses outside"],
    [/href=\{`?(javascript|data):/i, "links that act"],
  ];
  for (const file of code) {
    it(file.name, () => {
      const text = uncommented(file.text);
      for (const [shape, what] of forbidden) expect(shape.exec(text)?.[0], `${what} in ${file.name}`).toBeUndefined();
    });
  }
});

describe("only api/ talks to the server", () => {
  for (const file of code.filter(({ name }) => !name.startsWith("api/"))) {
    it(file.name, () => {
      expect(
        /\bfetch\s*\(|XMLHttpRequest|new EventSource|new WebSocket|sendBeacon/.exec(uncommented(file.text))?.[0],
      ).toBeUndefined();
    });
  }
});

describe("words live in locale/", () => {
  for (const file of code.filter(({ name }) => name.endsWith(".tsx"))) {
    it(file.name, () => {
      const text = uncommented(file.text);
      // Text between tags, and attributes people read.
      const between = [...text.matchAll(/<\/?[A-Za-z][^<>{}]*>\s*([^<>{}\n]*[A-Za-z]{3,}[^<>{}\n]*?)\s*<\//g)].map(
        (found) => found[1] ?? "",
      );
      const attributes = [
        ...text.matchAll(/\b(?:title|label|placeholder|aria-label|alt)="([^"]*[A-Za-z]{2,}[^"]*)"/g),
      ].map((found) => found[1] ?? "");
      expect([...between, ...attributes].filter((found) => !/[;=()]|=>/.test(found))).toEqual([]);
    });
  }
});

describe("styles", () => {
  for (const file of files.filter(({ name }) => name.endsWith(".css"))) {
    it(file.name, () => {
      const text = uncommented(file.text);
      expect(/@import|url\(|expression\(/.exec(text)?.[0]).toBeUndefined();
      if (file.name !== "design/tokens.css") {
        expect(/#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(/i.exec(text)?.[0], "colours are tokens").toBeUndefined();
      }
    });
  }
});

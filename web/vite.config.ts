import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Puts src/boot.ts before everything else. Two scripts in index.html would become one file. */
const bootFirst: Plugin = {
  name: "boot-first",
  transformIndexHtml: {
    order: "post",
    handler(_, { bundle }) {
      const boot = Object.values(bundle ?? {}).find((file) => file.type === "chunk" && file.name === "boot");
      if (!boot) return [];
      return [
        {
          tag: "script",
          attrs: { type: "module", crossorigin: true, src: `/${boot.fileName}` },
          injectTo: "head-prepend",
        },
      ];
    },
  },
};

// Everything is a file of its own, from our own origin: the policy of the
// console has no room for inline scripts, styles or data of scripts.
export default defineConfig({
  base: "/",
  plugins: [react(), bootFirst],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      input: { index: "index.html", boot: "src/boot.ts" },
      output: {
        entryFileNames: "assets/[name]-[hash].js",
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules\/(react|react-dom|scheduler)\// },
            { name: "tanstack", test: /node_modules\/@tanstack\// },
            { name: "vendor-chart", test: /node_modules\/uplot\// },
            { name: "vendor-map", test: /node_modules\/(d3-geo|d3-array|topojson-client|world-atlas)\// },
          ],
        },
      },
    },
  },
  // Time says more of the machine than of the code: a slow one is no failure.
  test: { include: ["src/**/*.test.{ts,tsx}"], environment: "node", testTimeout: 60_000 },
});

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Where `npm run dev` finds a gateway; the built app asks the one that serves it. */
const GATEWAY = process.env.GATEWAY ?? "http://127.0.0.1:8000";

/** Puts `x.js.gz` beside `x.js`: the gateway sends that to whoever takes it. */
const gzip: Plugin = {
  name: "gzip",
  apply: "build",
  writeBundle({ dir = "" }, bundle) {
    for (const name of Object.keys(bundle).filter((name) => /\.(html|js|css)$/.test(name))) {
      writeFileSync(join(dir, `${name}.gz`), gzipSync(readFileSync(join(dir, name)), { level: 9 }));
    }
  },
};

export default defineConfig({
  base: "/explore/",
  plugins: [react(), gzip],
  // The gateway's Content-Security-Policy allows nothing inline, data: addresses included.
  build: { assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  server: { proxy: { "/graphql": GATEWAY } },
});

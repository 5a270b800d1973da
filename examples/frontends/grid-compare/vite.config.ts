import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Where `npm run dev` finds a gateway; the built app asks the one that serves it. */
const GATEWAY = process.env.GATEWAY ?? "http://127.0.0.1:8000";

/** Puts `x.js.br` and `x.js.gz` beside `x.js`: the gateway sends those to whoever takes them. */
const compressed: Plugin = {
  name: "compressed",
  apply: "build",
  writeBundle({ dir = "" }, bundle) {
    for (const name of Object.keys(bundle).filter((name) => /\.(html|js|css)$/.test(name))) {
      const plain = readFileSync(join(dir, name));
      writeFileSync(join(dir, `${name}.gz`), gzipSync(plain, { level: 9 }));
      writeFileSync(join(dir, `${name}.br`), brotliCompressSync(plain));
    }
  },
};

export default defineConfig({
  base: "/explore/",
  plugins: [react(), compressed],
  // The gateway's Content-Security-Policy allows nothing inline, data: addresses included.
  build: { assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  server: { proxy: { "/graphql": GATEWAY, "/pages": GATEWAY } },
});

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where `npm run dev` finds a gateway; the built app asks the one that serves it. */
const GATEWAY = process.env.GATEWAY ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "/explore/",
  plugins: [react()],
  // The gateway's Content-Security-Policy allows nothing inline, data: addresses included.
  build: { assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  server: { proxy: { "/graphql": GATEWAY } },
});

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

import { licences } from "./build/licences.ts";

/** Where Django serves what is built (STATICFILES_DIRS in almagest/config/settings.py). */
const BASE = "/static/frontend/";

export default defineConfig({
  base: BASE,
  plugins: [react(), licences()],
  // Several checkouts share one node_modules: nothing is written into it.
  cacheDir: process.env.ALMAGEST_FRONTEND_CACHE ?? "dist/.cache",
  build: {
    target: "es2023",
    outDir: process.env.ALMAGEST_FRONTEND_OUT ?? "dist",
    emptyOutDir: true,
    manifest: true,
    sourcemap: false,
    // A small file would become a data: address, which the Content-Security-Policy refuses for all but images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: "src/main.tsx" },
  },
  test: { environment: "node", include: ["src/**/*.test.ts", "build/**/*.test.ts"] },
});

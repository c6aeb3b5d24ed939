import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./frame/App";
import "./frame/frame.css";

const place = document.getElementById("workbench");
if (place) {
  createRoot(place).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}

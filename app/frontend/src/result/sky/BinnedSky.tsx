import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef } from "react";

import { Waiting } from "../../frame/Waiting";
import { converted, type Frame as SkyFrame } from "../coordinates";
import { getBins } from "../data/requests";
import { ramp, css } from "../plot/colours";
import { useSize } from "../plot/useSize";
import type { ViewProps } from "../Result";
import { words } from "../words";
import { grid, outline, plane, project } from "./projection";

interface BinnedSkyProps extends ViewProps {
  lon: string;
  lat: string;
  of: SkyFrame;
}

/** Cells of two degrees: as fine as the map of the whole sky shows. */
const STEP = 2;

/** The whole sky of more rows than a browser should hold, as counts per square degree. */
export function BinnedSky({ job, columns, state, lon, lat, of }: BinnedSkyProps) {
  const holder = useRef<HTMLDivElement>(null);
  const size = useSize(holder);
  const [x, y] = [lon, lat].map((name) => columns.find((column) => column.name === name)!);
  const bins = useQuery({
    queryKey: ["bins", job.id, "sky", lon, lat, JSON.stringify(state.where)],
    queryFn: ({ signal }) => getBins(job, { x: x, y: y, nx: 360 / STEP, ny: 180 / STEP, x0: 0, x1: 360, y0: -90, y1: 90, logx: false, logy: false }, state.where, signal),
    staleTime: Infinity,
  });
  const view = { lon: 0, lat: 0, field: 360 };
  const on = plane(view, size.width, size.height);
  const cells = useMemo(() => {
    if (!bins.data) return [];
    const { nx, ny, counts } = bins.data;
    const density = counts.map((count, k) => count / Math.cos((((Math.floor(k / nx) + 0.5) * 180) / ny - 90) * (Math.PI / 180)));
    const most = density.reduce((a, b) => Math.max(a, b), 1);
    const colours = ramp(state.plot.ramp);
    return density.flatMap((value, k) => {
      if (value === 0) return [];
      const at = converted(((k % nx) + 0.5) * (360 / nx), (Math.floor(k / nx) + 0.5) * (180 / ny) - 90, of, state.sky.frame);
      return [{ k, at, colour: css(colours[Math.round(30 + (225 * Math.log1p(value)) / Math.log1p(most))]) }];
    });
  }, [bins.data, of, state.sky.frame, state.plot.ramp]);
  const lines = size.width > 60 ? grid(view, on) : undefined;
  return (
    <>
      <p className="viewer-quiet" role="status">{words.plot.binned(job.rows ?? 0)}</p>
      <div ref={holder} className="viewer-drawing viewer-sky">
        {bins.error && <p className="viewer-problem" role="alert">{bins.error.message}</p>}
        {!bins.data && !bins.error && <Waiting what={words.plot.loading} />}
        {lines && (
          <svg className="viewer-frame" width={size.width} height={size.height} role="img" aria-label={words.sky.picture(job.rows ?? 0, "0", "0", 360)}>
            <polygon className="viewer-outline" points={outline(on).map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(" ")} />
            {cells.map(({ k, at, colour }) => {
              const place = project(at[0], at[1], view, on);
              const side = (STEP * Math.PI * on.factor) / 180;
              return place && <rect key={k} x={place[0] - side / 2} y={place[1] - side / 2} width={side + 0.5} height={side + 0.5} fill={colour} />;
            })}
            {[...lines.meridians, ...lines.parallels].map((line) => (
              <path key={line.label} className="viewer-grid-line" d={line.lines.map((points) => points.map(([px, py], k) => `${k ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("")).join("")} />
            ))}
          </svg>
        )}
      </div>
    </>
  );
}

import { useCallback, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";

import { Waiting } from "../../frame/Waiting";
import { angle, converted, separation, type Frame as SkyFrame } from "../coordinates";
import { POINTS } from "../data/requests";
import { useFrame } from "../data/useFrame";
import { Choice } from "../plot/Controls";
import { ramp } from "../plot/colours";
import { brushed, discs, nearest, opacityOf, type Layer } from "../plot/layer";
import { DENSE, shades } from "../plot/model";
import { Picture } from "../plot/Picture";
import { filled } from "../plot/raster";
import { useInk } from "../plot/useInk";
import { useSize } from "../plot/useSize";
import { useWheel } from "../plot/useWheel";
import type { ViewProps } from "../Result";
import { position } from "../roles";
import type { SkyState } from "../state";
import { isNumeric } from "../table/numbers";
import { words } from "../words";
import { BinnedSky } from "./BinnedSky";
import { circle, grid, isWhole, outline, path, plane, skyPlaces, unproject, WIDEST, type View } from "./projection";

type Place = readonly [number, number];

/** The sky map of a result: Mollweide of the whole sky, gnomonic when zoomed. */
export default function Sky(props: ViewProps) {
  const { job, columns, state } = props;
  const found = position(columns);
  const [chosen, setChosen] = useState<{ lon?: string; lat?: string }>({});
  const numeric = columns.filter(isNumeric).map((column) => column.name);
  const lon = chosen.lon ?? found?.lon ?? "";
  const lat = chosen.lat ?? found?.lat ?? "";
  const names = useMemo(() => (lon && lat ? [lon, lat] : []), [lon, lat]);
  const binned = (job.rows ?? 0) > POINTS;
  const loaded = useFrame(job, names, state.where, names.length === 2 && !binned);
  const colours = useMemo(() => (state.plot.colour && !binned ? [state.plot.colour].filter((name) => columns.some((column) => column.name === name)) : []), [state.plot.colour, binned, columns]);
  const coloured = useFrame(job, colours, state.where, colours.length > 0);
  return (
    <section className="viewer-panel viewer-panel-sky" aria-label={words.sky.title}>
      {(!found || chosen.lon !== undefined) && (
        <div className="viewer-controls">
          {!lon && <p>{words.sky.nothing}</p>}
          <Choice label={words.sky.lon} value={lon} options={numeric} onChange={(value) => setChosen({ ...chosen, lon: value })} />
          <Choice label={words.sky.lat} value={lat} options={numeric} onChange={(value) => setChosen({ ...chosen, lat: value })} />
        </div>
      )}
      {names.length < 2 ? null
      : binned ? <BinnedSky {...props} lon={lon} lat={lat} of={found?.frame ?? "icrs"} />
      : loaded.error ? <p className="viewer-problem" role="alert">{loaded.error.message}</p>
      : !loaded.frame ? <Waiting what={words.plot.loading} />
      : <SkyMap {...props} loaded={loaded} coloured={coloured} lon={lon} lat={lat} of={found?.frame ?? "icrs"} />}
    </section>
  );
}

interface SkyMapProps extends ViewProps {
  loaded: ReturnType<typeof useFrame>;
  coloured: ReturnType<typeof useFrame>;
  lon: string;
  lat: string;
  /** The frame of the position's columns. */
  of: SkyFrame;
}

type Tool = "pan" | "cone";

/** Angles of the rows in the frame of the grid. */
function inFrame(lon: Float64Array, lat: Float64Array, from: SkyFrame, to: SkyFrame): [Float64Array, Float64Array] {
  if (from === to) return [lon, lat];
  const out: [Float64Array, Float64Array] = [new Float64Array(lon.length), new Float64Array(lat.length)];
  for (let k = 0; k < lon.length; k++) [out[0][k], out[1][k]] = converted(lon[k], lat[k], from, to);
  return out;
}

function SkyMap({ columns, state, change, marks, loaded, coloured, lon, lat, of }: SkyMapProps) {
  const { sky } = state;
  const frame = loaded.frame!;
  const holder = useRef<HTMLDivElement>(null);
  const surface = useRef<SVGSVGElement>(null);
  const size = useSize(holder);
  const colours = useInk(holder);
  const [tool, setTool] = useState<Tool>("pan");
  const [cone, setCone] = useState<{ centre: Place; radius: number }>();
  const drag = useRef<{ from: Place; last: Place; moved: boolean; how: "set" | "add" | "subtract"; before: Uint8Array }>(undefined);

  const [lons, lats] = useMemo(() => {
    const [a, b] = [frame.columns.get(lon), frame.columns.get(lat)];
    return a?.kind === "number" && b?.kind === "number" ? inFrame(a.values, b.values, of, sky.frame) : [new Float64Array(0), new Float64Array(0)];
  }, [frame, lon, lat, of, sky.frame]);
  const view: View = sky;
  const on = useMemo(() => plane({ lon: sky.lon, lat: sky.lat, field: sky.field }, size.width, size.height), [sky.lon, sky.lat, sky.field, size]);
  const dense = lons.length > DENSE;
  const ratio = dense ? 1 : Math.min(2, window.devicePixelRatio || 1);
  const shade = useMemo(() => {
    const column = columns.find((one) => one.name === state.plot.colour);
    return shades(state.plot, coloured.frame?.length === lons.length ? column : undefined, coloured.frame ?? frame, colours.dot);
  }, [columns, state.plot, coloured.frame, frame, lons.length, colours.dot]);
  const layer = useMemo((): Layer | undefined => {
    if (size.width < 60 || size.height < 60) return undefined;
    const pixels = { width: Math.round(size.width * ratio), height: Math.round(size.height * ratio) };
    const fine = { width: pixels.width, height: pixels.height, factor: on.factor * ratio };
    return {
      size: pixels,
      at: skyPlaces(lons, lats, { lon: sky.lon, lat: sky.lat, field: sky.field }, fine, new Int32Array(lons.length)),
      numbers: loaded.numbers,
      density: dense,
      ramp: dense ? ramp(state.plot.ramp) : shade.ramp,
      shade: dense ? undefined : shade.shade,
      stamps: discs(ratio),
      opacity: opacityOf(lons.length),
    };
  }, [size, ratio, on.factor, lons, lats, sky.lon, sky.lat, sky.field, loaded.numbers, dense, state.plot.ramp, shade]);
  const lines = useMemo(() => (size.width < 60 ? undefined : grid({ lon: sky.lon, lat: sky.lat, field: sky.field }, on)), [sky.lon, sky.lat, sky.field, on, size.width]);

  const setSky = useCallback((part: Partial<SkyState>): void => change({ sky: { ...sky, ...part } }), [change, sky]);
  const wrap = (degrees: number): number => ((degrees % 360) + 360) % 360;

  /** Zoom so that the position under the pointer stays there. */
  const zoom = (factor: number, place?: Place): void => {
    const under = unproject(place?.[0] ?? size.width / 2, place?.[1] ?? size.height / 2, view, on);
    if (isWhole(view)) {
      if (factor < 1) setSky({ field: 90, ...(under && { lon: under[0], lat: under[1] }) });
      return;
    }
    const field = sky.field * factor;
    if (field > WIDEST) { setSky({ field: 360, lat: 0 }); return; }
    const next = { ...view, field: Math.max(1 / 3600, field) };
    if (!under || !place) { setSky(next); return; }
    const after = unproject(place[0], place[1], next, plane(next, size.width, size.height));
    setSky(after ? { ...next, lon: wrap(next.lon + under[0] - after[0]), lat: Math.max(-90, Math.min(90, next.lat + under[1] - after[1])) } : next);
  };
  const pan = (dx: number, dy: number): void => {
    if (isWhole(view)) { setSky({ lon: wrap(view.lon + (dx / on.factor) * (180 / Math.PI) * (Math.PI / (2 * Math.SQRT2))) }); return; }
    const to = unproject(size.width / 2 - dx, size.height / 2 - dy, view, on);
    if (to) setSky({ lon: to[0], lat: to[1] });
  };
  const home = (): void => setSky({ lon: 0, lat: 0, field: 360 });
  const fit = (): void => setSky(around(lons, lats));
  useWheel(surface, layer !== undefined, (delta, place) => zoom(delta > 0 ? 1.2 : 1 / 1.2, place));

  const place = (event: PointerEvent): Place => {
    const box = event.currentTarget.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  const select = (centre: Place, radius: number, how: "set" | "add" | "subtract"): void => {
    const own = converted(centre[0], centre[1], sky.frame, of);
    const step = {
      how: how === "subtract" ? ("subtract" as const) : ("add" as const),
      region: { kind: "cone" as const, lon, lat, centre: [tidy(own[0]), tidy(own[1])] as const, radius: tidy(radius) },
    };
    change({ selection: how === "set" ? [step] : [...state.selection, step] });
  };

  const onPointerDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const from = place(event);
    drag.current = { from, last: from, moved: false, how: event.shiftKey ? "add" : event.altKey ? "subtract" : "set", before: marks.bytes.slice() };
  };
  const onPointerMove = (event: PointerEvent): void => {
    const now = drag.current;
    if (!now) return;
    const to = place(event);
    if (!now.moved && Math.hypot(to[0] - now.from[0], to[1] - now.from[1]) < 4) return;
    now.moved = true;
    if (tool === "pan") pan(to[0] - now.last[0], to[1] - now.last[1]);
    else {
      const [centre, rim] = [unproject(...now.from, view, on), unproject(...to, view, on)];
      if (centre && rim && layer) {
        const radius = separation(...centre, ...rim);
        setCone({ centre, radius });
        const inside = new Uint8Array(layer.size.width * layer.size.height);
        for (const line of path(circle(...centre, radius), view, on)) {
          filled(line.map(([x, y]) => [x * ratio, y * ratio] as const), layer.size, inside);
        }
        const out = new Uint8Array(marks.bytes.length);
        marks.set(out, brushed(layer, inside, now.before, now.how, out));
      }
    }
    now.last = to;
  };
  const onPointerUp = (event: PointerEvent): void => {
    const now = drag.current;
    drag.current = undefined;
    setCone(undefined);
    if (!now) return;
    if (now.moved && tool === "cone" && cone) select(cone.centre, cone.radius, now.how);
    else if (!now.moved) {
      const at = place(event);
      const row = layer ? nearest(layer, at[0] * ratio, at[1] * ratio, 8 * ratio) : -1;
      if (row >= 0) change({ selection: [{ how: "add", region: { kind: "rows", rows: [loaded.numbers ? loaded.numbers[row] : row] } }] });
      else if (state.selection.length) change({ selection: [] });
    }
  };
  const selectShown = (): void => select([isWhole(view) ? 0 : view.lon, isWhole(view) ? 0 : view.lat], isWhole(view) ? 180 : view.field / 2, "set");

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey) return;
    const [dx, dy] = [size.width / 8, size.height / 8];
    const moves: Partial<Record<string, () => void>> = {
      ArrowLeft: () => pan(dx, 0), ArrowRight: () => pan(-dx, 0), ArrowUp: () => pan(0, dy), ArrowDown: () => pan(0, -dy),
      "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1 / 0.7), "0": home, s: selectShown,
    };
    const does = moves[event.key];
    if (!does) return;
    does();
    event.preventDefault();
    event.stopPropagation();
  };

  const [ra, dec] = converted(view.lon, view.lat, sky.frame, "icrs");
  return (
    <>
      <div className="viewer-bar viewer-tools">
        <div className="viewer-switch" role="group" aria-label={words.plot.tool}>
          <button type="button" aria-pressed={tool === "pan"} onClick={() => setTool("pan")}>{words.plot.pan}</button>
          <button type="button" aria-pressed={tool === "cone"} onClick={() => setTool("cone")}>{words.plot.cone}</button>
        </div>
        <button type="button" className="viewer-small" aria-label={words.plot.zoomIn} onClick={() => zoom(0.7)}>+</button>
        <button type="button" className="viewer-small" aria-label={words.plot.zoomOut} onClick={() => zoom(1 / 0.7)}>−</button>
        <button type="button" className="viewer-small" onClick={fit}>{words.sky.fit}</button>
        <button type="button" className="viewer-small" onClick={home}>{words.plot.home}</button>
        <button type="button" className="viewer-small" onClick={selectShown}>{words.plot.selectShown}</button>
        <Choice
          label={words.sky.frame}
          value={sky.frame}
          options={["icrs", "galactic"]}
          onChange={(value) => {
            const to: SkyFrame = value === "galactic" ? "galactic" : "icrs";
            const [l, b] = isWhole(view) ? [0, 0] : converted(view.lon, view.lat, sky.frame, to);
            setSky({ frame: to, lon: l, lat: b });
          }}
        />
        <span className="viewer-spacer" />
        <span className="viewer-quiet" role="status">{words.sky.field(view.field)}{cone && ` · ${angle(cone.radius)}`}</span>
        {!isWhole(view) && (
          <span className="viewer-quiet">
            {words.sky.links}{" "}
            <a href={`https://sky.esa.int/?target=${ra.toFixed(6)}%20${dec.toFixed(6)}&fov=${view.field.toFixed(4)}`} target="_blank" rel="noopener noreferrer">{words.sky.esasky}</a>{" "}
            <a href={`https://simbad.cds.unistra.fr/simbad/sim-coo?Coord=${ra.toFixed(6)}d%20${dec >= 0 ? "%2B" : "-"}${Math.abs(dec).toFixed(6)}d&Radius=2&Radius.unit=arcmin`} target="_blank" rel="noopener noreferrer">{words.sky.simbad}</a>{" "}
            <a href={`https://aladin.cds.unistra.fr/AladinLite/?target=${ra.toFixed(6)}%20${dec.toFixed(6)}&fov=${view.field.toFixed(4)}`} target="_blank" rel="noopener noreferrer">{words.sky.aladin}</a>
          </span>
        )}
      </div>
      <div ref={holder} className="viewer-drawing viewer-sky">
        {layer && (
          <>
            <svg className="viewer-frame" width={size.width} height={size.height} aria-hidden>
              {isWhole(view) && <polygon className="viewer-outline" points={outline(on).map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ")} />}
              {lines && [...lines.meridians, ...lines.parallels].map((line, k) => (
                <g key={`${k} ${line.label}`}>
                  <path className="viewer-grid-line" d={line.lines.map(toPath).join("")} />
                  {line.at && <text x={Math.max(2, line.at[0] + 3)} y={Math.min(size.height - 4, line.at[1] - 3)}>{line.label}</text>}
                </g>
              ))}
            </svg>
            <Picture layer={layer} marks={marks} left={0} top={0} width={size.width} height={size.height} />
            <svg
              ref={surface}
              className={`viewer-surface viewer-surface-${tool === "pan" ? "pan" : "box"}`}
              role="group"
              aria-roledescription="sky map"
              aria-label={words.sky.picture(lons.length, view.lon.toFixed(3), view.lat.toFixed(3), view.field)}
              aria-describedby="viewer-sky-hint"
              tabIndex={0}
              width={size.width}
              height={size.height}
              onPointerDown={onPointerDown}
              onPointerMove={onPointerMove}
              onPointerUp={onPointerUp}
              onKeyDown={onKeyDown}
              onDoubleClick={(event) => {
                const box = event.currentTarget.getBoundingClientRect();
                zoom(0.5, [event.clientX - box.left, event.clientY - box.top]);
              }}
            >
              {cone && <path className="viewer-brush" d={path(circle(...cone.centre, cone.radius), view, on).map(toPath).join("")} />}
              {state.selection.map(({ region }) => {
                if (region.kind !== "cone" || region.lon !== lon) return null;
                const [l, b] = converted(...region.centre, of, sky.frame);
                return <path key={JSON.stringify(region)} className="viewer-brush viewer-brush-done" d={path(circle(l, b, region.radius), view, on).map(toPath).join("")} />;
              })}
            </svg>
          </>
        )}
        <p id="viewer-sky-hint" className="unseen">{words.sky.hint}</p>
      </div>
    </>
  );
}

function toPath(line: readonly Place[]): string {
  return line.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

function tidy(value: number): number {
  return Number(value.toPrecision(9));
}

/** A view that has all rows in it: around their mean direction, as wide as the furthest needs. */
export function around(lons: Float64Array, lats: Float64Array): View {
  const radian = Math.PI / 180;
  let [x, y, z, n] = [0, 0, 0, 0];
  for (let k = 0; k < lons.length; k++) {
    const cos = Math.cos(lats[k] * radian);
    if (Number.isNaN(cos) || Number.isNaN(lons[k])) continue;
    x += cos * Math.cos(lons[k] * radian);
    y += cos * Math.sin(lons[k] * radian);
    z += Math.sin(lats[k] * radian);
    n += 1;
  }
  const whole = { lon: 0, lat: 0, field: 360 };
  if (n === 0 || Math.hypot(x, y, z) / n < 0.5) return whole;
  const [lon, lat] = [(Math.atan2(y, x) / radian + 360) % 360, Math.atan2(z, Math.hypot(x, y)) / radian];
  let far = 0;
  for (let k = 0; k < lons.length; k++) {
    const distance = separation(lon, lat, lons[k], lats[k]);
    if (distance > far) far = distance;
  }
  const field = Math.max(far * 2.6, 10 / 3600);
  return field > WIDEST ? whole : { lon, lat, field };
}


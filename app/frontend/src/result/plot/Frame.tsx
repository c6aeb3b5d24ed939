import type { PlotFrame } from "./frame";

/** Axes, ticks and titles on the page. */
export function Frame({ frame }: { frame: PlotFrame }) {
  const { box } = frame;
  const foot = box.top + box.height;
  return (
    <svg className="viewer-frame" width={frame.width} height={frame.height} aria-hidden>
      <rect x={box.left - 0.5} y={box.top - 0.5} width={box.width + 1} height={box.height + 1} className="viewer-axis" />
      {frame.xTicks.map((tick) => (
        <g key={tick.value} transform={`translate(${box.left + tick.at} ${foot})`}>
          <path d="M0 0V5" className="viewer-axis" />
          <text y={18} textAnchor="middle">{tick.label}</text>
        </g>
      ))}
      {frame.yTicks.map((tick) => (
        <g key={tick.value} transform={`translate(${box.left} ${box.top + tick.at})`}>
          <path d="M0 0H-5" className="viewer-axis" />
          <text x={-8} y={4} textAnchor="end">{tick.label}</text>
        </g>
      ))}
      <text x={box.left + box.width / 2} y={foot + 38} textAnchor="middle" className="viewer-axis-title">{frame.xTitle}</text>
      <text transform={`translate(13 ${box.top + box.height / 2}) rotate(-90)`} textAnchor="middle" className="viewer-axis-title">{frame.yTitle}</text>
    </svg>
  );
}

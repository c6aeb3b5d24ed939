import { describe, expect, it } from "vitest";

import type { Column } from "../api";
import { firstLook } from "./guess";
import { address, cellKind, identifier, position, roles, uncertainty } from "./roles";

const column = (name: string, ucd = "", more: Partial<Column> = {}): Column => ({
  name, ucd, datatype: "double", arraysize: "", xtype: "", unit: "", utype: "", description: "", ...more,
});
const text = (name: string, ucd = "", xtype = ""): Column => column(name, ucd, { datatype: "char", arraysize: "*", xtype });

const HIPPARCOS = [
  column("hip", "meta.id;meta.main", { datatype: "int" }),
  column("ra", "pos.eq.ra;meta.main", { unit: "deg" }),
  column("dec", "pos.eq.dec;meta.main", { unit: "deg" }),
  column("plx", "pos.parallax.trig", { unit: "mas" }),
  column("e_plx", "stat.error;pos.parallax.trig", { unit: "mas" }),
  column("hpmag", "phot.mag;em.opt", { unit: "mag" }),
  column("b_v", "phot.color;em.opt.B;em.opt.V", { unit: "mag" }),
];

describe("roles", () => {
  it("takes the main position, not the first", () => {
    expect(position([column("ra_b", "pos.eq.ra"), column("dec_b", "pos.eq.dec"), ...HIPPARCOS])).toEqual({ lon: "ra", lat: "dec", frame: "icrs" });
    expect(position([column("RAJ2000"), column("DEJ2000")])?.lon).toBe("RAJ2000");
    expect(position([column("l", "pos.galactic.lon"), column("b", "pos.galactic.lat")])?.frame).toBe("galactic");
    expect(position([column("ra", "pos.eq.ra")])).toBeUndefined();
  });

  it("finds identifier and uncertainty", () => {
    expect(identifier(HIPPARCOS)?.name).toBe("hip");
    expect(uncertainty(HIPPARCOS, "plx")?.name).toBe("e_plx");
    expect(uncertainty([column("x", "phot.flux"), column("noise", "stat.error;phot.flux")], "x")?.name).toBe("noise");
    expect(uncertainty(HIPPARCOS, "b_v")).toBeUndefined();
  });

  it("takes two bands for a colour", () => {
    const bands = roles([column("phot_bp_mean_mag", "phot.mag;em.opt.B"), column("phot_rp_mean_mag", "phot.mag;em.opt.R")]).bands;
    expect(bands?.map((one) => one.name)).toEqual(["phot_bp_mean_mag", "phot_rp_mean_mag"]);
  });
});

describe("firstLook", () => {
  it("draws a colour–magnitude diagram upside down", () => {
    const { plot } = firstLook(HIPPARCOS);
    expect([plot.x, plot.y, plot.yAxis.reversed]).toEqual(["b_v", "M(hpmag, plx)", true]);
  });

  it("draws a light curve of times and magnitudes", () => {
    const { plot } = firstLook([text("obs", "time.epoch", "timestamp"), column("mag", "phot.mag")]);
    expect([plot.kind, plot.x, plot.y]).toEqual(["time", "obs", "mag"]);
  });

  it("draws what is there, and nothing of texts", () => {
    expect(firstLook([column("a"), column("b")]).plot).toMatchObject({ kind: "scatter", x: "a", y: "b" });
    expect(firstLook([column("a")]).plot).toMatchObject({ kind: "histogram", x: "a" });
    expect(firstLook([text("a")]).plot.x).toBe("");
    expect(firstLook([]).plot.x).toBe("");
  });
});

describe("cells", () => {
  it("are drawn by their UCD", () => {
    expect(HIPPARCOS.map(cellKind).slice(0, 3)).toEqual(["number", "ra", "dec"]);
    expect([text("a", "meta.ref.url"), text("b", "meta.bib.bibcode"), text("c", "meta.ref.url;meta.image"), text("d")].map(cellKind)).toEqual(["link", "bibcode", "image", "text"]);
  });

  it("lead nowhere but to web pages", () => {
    expect(address("link", "https://example.org/a?b=1")).toBe("https://example.org/a?b=1");
    for (const bad of ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "data:text/html,x", "//example.org", "https://user@example.org/", "file:///etc/passwd", "http://", ""]) {
      expect(address("link", bad)).toBeUndefined();
      expect(address("image", bad)).toBeUndefined();
    }
    expect(address("bibcode", "2023A&A...674A...1G")).toBe("https://ui.adsabs.harvard.edu/abs/2023A%26A...674A...1G");
    expect(address("doi", "doi:10.5270/esa-qa4lep3")).toBe("https://doi.org/10.5270/esa-qa4lep3");
    expect(address("doi", "javascript:alert(1)")).toBeUndefined();
  });
});

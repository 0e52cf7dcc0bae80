import { describe, expect, it } from "vitest";
import { heightsOf, windowFor } from "@/ui/virtualWindow";

const keys = Array.from({ length: 1_000 }, (_, index) => `row${index}`);
const unmeasured = heightsOf(keys, new Map(), 50);

describe("what of a long list is drawn", () => {
    it("takes a row that was not measured for what rows usually are", () => {
        const heights = heightsOf(["a", "b", "c"], new Map([["b", 90]]), 50);
        expect([heights.before(0), heights.before(1), heights.before(2), heights.total]).toEqual([0, 50, 140, 190]);
        expect([heights.at(0), heights.at(49), heights.at(50), heights.at(139), heights.at(140), heights.at(5_000)]).toEqual([0, 0, 1, 1, 2, 2]);
    });
    it("draws what is in view and some way beyond, and little of the rest", () => {
        const { from, to } = windowFor(unmeasured, { top: 20_000, height: 800, current: { from: 0, to: 0 } });
        expect(unmeasured.before(from)).toBeLessThan(20_000 - 500);
        expect(unmeasured.before(to)).toBeGreaterThan(20_800 + 500);
        expect(to - from).toBeLessThan(100);
    });
    it("keeps the window while the view is well inside it, and moves it near its edge", () => {
        const current = windowFor(unmeasured, { top: 20_000, height: 800, current: { from: 0, to: 0 } });
        expect(windowFor(unmeasured, { top: 20_300, height: 800, current })).toEqual(current);
        expect(windowFor(unmeasured, { top: 21_500, height: 800, current })).not.toEqual(current);
    });
    it("reaches the ends", () => {
        expect(windowFor(unmeasured, { index: 0 }).from).toBe(0);
        expect(windowFor(unmeasured, { index: 999 }).to).toBe(1_000);
        expect(windowFor(heightsOf([], new Map(), 50), { index: -1 })).toEqual({ from: 0, to: 0 });
    });
    it("gives back what has become far too large", () => {
        const window = windowFor(unmeasured, { top: 49_000, height: 800, current: { from: 0, to: 1_000 } });
        expect(window.to - window.from).toBeLessThan(100);
    });
});

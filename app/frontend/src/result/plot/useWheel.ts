import { useEffect, useEffectEvent, type RefObject } from "react";

/** The wheel over an element, without the page scrolling away under it; with the place in the element. */
export function useWheel(element: RefObject<Element | null>, ready: boolean, onWheel: (delta: number, place: readonly [number, number]) => void): void {
  const act = useEffectEvent((event: WheelEvent, over: Element) => {
    const box = over.getBoundingClientRect();
    onWheel(event.deltaY, [event.clientX - box.left, event.clientY - box.top]);
  });
  useEffect(() => {
    const over = element.current;
    if (!over || !ready) return undefined;
    const listener = (event: Event): void => {
      event.preventDefault();
      act(event as WheelEvent, over);
    };
    over.addEventListener("wheel", listener, { passive: false });
    return () => over.removeEventListener("wheel", listener);
  }, [element, ready]);
}

// Types of what preact.js exports, for editors: the page itself is not compiled.
export type Child = any;
export function html(strings: TemplateStringsArray, ...values: any[]): Child;
export function h(type: any, props: any, ...children: Child[]): Child;
export function render(child: Child, parent: Element): void;
export class Component<P = any, S = any> {
  constructor(props?: P, context?: any);
  props: P;
  state: S;
  setState(state: Partial<S>): void;
  forceUpdate(): void;
}
export function createContext<T>(value: T): any;
export function useState<T>(initial: T | (() => T)): [T, (next: T | ((now: T) => T)) => void];
export function useReducer<S, A>(reducer: (state: S, action: A) => S, initial: S): [S, (action: A) => void];
export function useEffect(effect: () => void | (() => unknown), inputs?: readonly unknown[]): void;
export function useLayoutEffect(effect: () => void | (() => unknown), inputs?: readonly unknown[]): void;
export function useRef<T>(initial: T): {current: T};
export function useMemo<T>(compute: () => T, inputs?: readonly unknown[]): T;
export function useCallback<T extends (...values: any[]) => any>(callback: T, inputs?: readonly unknown[]): T;
export function useContext<T>(context: any): T;
export function useImperativeHandle<T>(ref: {current: T}, create: () => T, inputs?: readonly unknown[]): void;
export function useDebugValue(value: unknown): void;
export function useErrorBoundary(callback?: (error: unknown) => void): [unknown, () => void];

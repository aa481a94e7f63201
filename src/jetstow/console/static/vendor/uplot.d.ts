// The types of uPlot are in its npm package.
declare const uPlot: any;
export default uPlot;

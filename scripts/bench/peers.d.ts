// The clients that the benchmark generates are there only while it runs.
declare module "peers/*";

import type { Measured } from "./measured.ts";
export const benchJob = async (): Promise<readonly Measured[]> => [];

import { fileURLToPath } from "node:url";

// Converts a file: URL to a path; returns other values unchanged.
export const filePath = (file) => (file instanceof URL ? fileURLToPath(file) : file);

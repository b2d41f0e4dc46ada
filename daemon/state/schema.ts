/** Each entry brings the database from version i to i + 1. Never edit one that has landed: append. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (id TEXT PRIMARY KEY, record TEXT NOT NULL);
  CREATE TABLE containers (id TEXT PRIMARY KEY, record TEXT NOT NULL);
  CREATE TABLE container_names (name TEXT PRIMARY KEY, container_id TEXT NOT NULL);
  CREATE TABLE images (id TEXT PRIMARY KEY, record TEXT NOT NULL);
  CREATE TABLE image_references (reference TEXT PRIMARY KEY, image_id TEXT NOT NULL REFERENCES images(id), digest TEXT);
  CREATE TABLE blobs (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, media_type TEXT NOT NULL, created REAL NOT NULL);
  CREATE TABLE image_blobs (image_id TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (image_id, digest));
  CREATE TABLE layers (id TEXT PRIMARY KEY, record TEXT NOT NULL);
  CREATE TABLE volumes (id TEXT PRIMARY KEY, record TEXT NOT NULL);
  CREATE TABLE volume_references (volume TEXT NOT NULL, container_id TEXT NOT NULL, PRIMARY KEY (volume, container_id));
  CREATE TABLE networks (id TEXT PRIMARY KEY, record TEXT NOT NULL);
  CREATE TABLE endpoints (id TEXT PRIMARY KEY, record TEXT NOT NULL);
  CREATE TABLE leases (id TEXT PRIMARY KEY, expires REAL NOT NULL, what TEXT NOT NULL);
  CREATE TABLE lease_references (lease_id TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (lease_id, kind, target));
  CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, time_nano INTEGER NOT NULL, record TEXT NOT NULL);
  CREATE INDEX events_time ON events (time_nano);
  `,
  `
  CREATE TABLE layer_blobs (diff_id TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, media_type TEXT NOT NULL, PRIMARY KEY (diff_id, digest));
  `,
  `
  ALTER TABLE volume_references ADD COLUMN unnamed INTEGER NOT NULL DEFAULT 1;
  `,
];

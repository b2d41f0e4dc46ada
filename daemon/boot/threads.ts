/**
 * Imported first, because libuv looks once, when its first thread starts: one thread of the pool always waits for the kernel's
 * events (system/epoll.ts), and file work of a pull must not keep an exit waiting for another.
 */
process.env['UV_THREADPOOL_SIZE'] ??= '8';

/**
 * Docker's default seccomp profile as data (field/engine-api.md section 2.3): which system calls are allowed, and for whom.
 * Everything not named here fails with EPERM.
 */
export interface SeccompArg {
  index: number;
  value: number;
  valueTwo?: number;
  op: string;
}
/** `when` must hold and `unless` must not: capabilities of the final set, Go's names of architectures, the oldest kernel. */
export interface SeccompRule {
  names: readonly string[];
  args?: readonly SeccompArg[];
  action?: 'SCMP_ACT_ERRNO';
  errnoRet?: number;
  when?: { capability?: string; arches?: readonly string[]; minKernel?: readonly [number, number] };
  unless?: { capability?: string; arches?: readonly string[] };
}

const words = (text: string): string[] => text.trim().split(/\s+/);

export const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  amd64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
  mips64: ['SCMP_ARCH_MIPS64', 'SCMP_ARCH_MIPS', 'SCMP_ARCH_MIPS64N32'],
  mips64le: ['SCMP_ARCH_MIPSEL64', 'SCMP_ARCH_MIPSEL', 'SCMP_ARCH_MIPSEL64N32'],
  s390x: ['SCMP_ARCH_S390X', 'SCMP_ARCH_S390'],
  riscv64: ['SCMP_ARCH_RISCV64'],
  loong64: ['SCMP_ARCH_LOONGARCH64'],
};

const ALWAYS = words(`
  accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown chown32 clock_adjtime clock_adjtime64
  clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect
  copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait
  epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark
  fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr
  fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait
  futex_waitv futex_wake futimesat getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups
  getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32
  getrlimit get_robust_list getrusage getsid getsockname getsockopt get_thread_area gettid gettimeofday getuid getuid32 getxattr
  getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel ioctl io_destroy io_getevents io_pgetevents
  io_pgetevents_time64 ioprio_get ioprio_set io_setup io_submit ipc kill landlock_add_rule landlock_create_ruleset
  landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listmount listxattr listxattrat llistxattr _llseek lremovexattr
  lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat
  mlock mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend
  mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep
  newfstatat _newselect open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll
  ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read
  readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat
  rename renameat renameat2 restart_syscall riscv_hwprobe rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
  rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam
  sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64
  sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop
  semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups
  setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32
  setrlimit set_robust_list setsid setsockopt set_thread_area set_tid_address setuid setuid32 setxattr setxattrat shmat shmctl shmdt
  shmget shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64
  statmount statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun
  timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime
  timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat uretprobe utime utimensat utimensat_time64
  utimes vfork vmsplice wait4 waitid waitpid write writev
`);

/** Address families from 12 up that a socket may have; all below are allowed. AF_ALG (38) and AF_VSOCK (40) are the dangerous ones. */
const SOCKET_FAMILIES = [
  13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44, 45,
];
/** PER_LINUX, PER_LINUX32, UNAME26 with each, and the query. */
const PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xffffffff];
/** All the CLONE_NEW* flags. */
const NAMESPACE_FLAGS = 0x7e020000;
const ENOSYS = 38;

const equals = (value: number): SeccompArg[] => [{ index: 0, value, op: 'SCMP_CMP_EQ' }];
const s390 = ['s390', 's390x'];
const cap = (capability: string, names: string): SeccompRule => ({ names: words(names), when: { capability } });
const arch = (arches: string[], names: string): SeccompRule => ({ names: words(names), when: { arches } });
const withoutNamespaces = (index: number): SeccompArg[] => [
  { index, value: NAMESPACE_FLAGS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' },
];

export const RULES: readonly SeccompRule[] = [
  { names: ALWAYS },
  { names: words('process_vm_readv process_vm_writev ptrace'), when: { minKernel: [4, 8] } },
  { names: ['socket'], args: [{ index: 0, value: 12, op: 'SCMP_CMP_LT' }] },
  ...SOCKET_FAMILIES.map((family) => ({ names: ['socket'], args: equals(family) })),
  ...PERSONALITIES.map((persona) => ({ names: ['personality'], args: equals(persona) })),
  arch(['ppc64le'], 'sync_file_range2 swapcontext'),
  arch(['arm', 'arm64'], 'arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls'),
  arch(['amd64', 'x32'], 'arch_prctl'),
  arch(['amd64', 'x32', 'x86'], 'modify_ldt'),
  arch(s390, 's390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr'),
  arch(['riscv64'], 'riscv_flush_icache'),
  cap('CAP_DAC_READ_SEARCH', 'open_by_handle_at'),
  cap(
    'CAP_SYS_ADMIN',
    `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr
     mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount
     umount2 unshare`,
  ),
  { names: ['clone'], args: withoutNamespaces(0), unless: { capability: 'CAP_SYS_ADMIN', arches: s390 } },
  { names: ['clone'], args: withoutNamespaces(1), when: { arches: s390 }, unless: { capability: 'CAP_SYS_ADMIN' } },
  // ENOSYS and not EPERM: only then does a libc that tries clone3 first fall back to clone.
  { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS, unless: { capability: 'CAP_SYS_ADMIN' } },
  cap('CAP_SYS_BOOT', 'reboot'),
  cap('CAP_SYS_CHROOT', 'chroot'),
  cap('CAP_SYS_MODULE', 'delete_module init_module finit_module'),
  cap('CAP_SYS_PACCT', 'acct'),
  cap('CAP_SYS_PTRACE', 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace'),
  cap('CAP_SYS_RAWIO', 'iopl ioperm'),
  cap('CAP_SYS_TIME', 'settimeofday stime clock_settime clock_settime64'),
  cap('CAP_SYS_TTY_CONFIG', 'vhangup'),
  cap('CAP_SYS_NICE', 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node'),
  cap('CAP_SYSLOG', 'syslog'),
  cap('CAP_BPF', 'bpf'),
  cap('CAP_PERFMON', 'perf_event_open'),
];

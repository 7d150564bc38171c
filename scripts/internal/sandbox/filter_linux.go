package sandbox

import (
	"fmt"
	"os"
	"unsafe"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// refused are system calls that nothing here needs. What a machine of another kind has not is left out.
var refused = []string{
	// Sockets. Landlock knows no UDP, and before version 6 no abstract names.
	"socket", "socketpair",
	// A child that leaves the group or the session would survive a kill.
	"setsid", "setpgid",
	// Other namespaces, mounts and roots.
	"unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick", "move_mount", "open_tree", "mount_setattr",
	// Memory and handles of other processes.
	"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd", "pidfd_open", "userfaultfd",
	"name_to_handle_at", "open_by_handle_at",
	// Memory that no limit counts.
	"memfd_create", "memfd_secret", "shmget", "shmat", "shmctl", "semget", "msgget", "mq_open",
	// Ways round a filter, and into the kernel.
	"io_uring_setup", "io_uring_enter", "io_uring_register", "bpf", "perf_event_open", "add_key", "request_key", "keyctl", "personality",
	"init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "fanotify_init", "syslog", "acct", "quotactl",
	"swapon", "swapoff", "reboot", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname",
	"ioperm", "iopl", "modify_ldt", "vhangup", "uselib",
}

// attributes are system calls that Landlock does not ask about: they change what belongs to the user, anywhere.
var attributes = []string{
	"chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "utimensat", "futimesat",
	"setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr",
}

// newest is the number of the last system call that was looked at for this list. From 424 on they are the same on all machines.
const newest = 450 // set_mempolicy_home_node

const (
	notPermitted = seccomp.ActionErrno | seccomp.Action(unix.EPERM)
	unknown      = seccomp.ActionErrno | seccomp.Action(unix.ENOSYS)

	namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET
)

// filter has the kernel refuse system calls of this thread and of what it becomes. no_new_privs must be set.
func filter(o order) error {
	machine, err := arch.GetInfo("")
	if err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	known := func(names ...string) (have []string) {
		for _, name := range names {
			if _, ok := machine.SyscallNames[name]; ok {
				have = append(have, name)
			}
		}
		return have
	}
	when := func(name string, argument uint32, op seccomp.Operation, value uint64) seccomp.NameWithConditions {
		return seccomp.NameWithConditions{Name: name, Conditions: seccomp.ArgumentConditions{{Argument: argument, Operation: op, Value: value}}}
	}
	deny := seccomp.SyscallGroup{Action: notPermitted, Names: known(refused...), NamesWithCondtions: []seccomp.NameWithConditions{
		when("ioctl", 1, seccomp.Equal, unix.TIOCSTI),
		when("ioctl", 1, seccomp.Equal, unix.TIOCLINUX),
	}}
	for bit := uint64(1); bit <= namespaces; bit <<= 1 {
		if bit&namespaces != 0 {
			deny.NamesWithCondtions = append(deny.NamesWithCondtions, when("clone", 0, seccomp.BitsSet, bit))
		}
	}
	if o.Landlock && o.User == 0 {
		deny.Names = append(deny.Names, known(attributes...)...)
	}
	if o.Alone {
		self := uint64(os.Getpid())
		deny.Names = append(deny.Names, known("fork", "vfork", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal")...)
		deny.NamesWithCondtions = append(deny.NamesWithCondtions,
			when("clone", 0, seccomp.BitsNotSet, unix.CLONE_THREAD), when("kill", 0, seccomp.NotEqual, self), when("tgkill", 0, seccomp.NotEqual, self))
	}
	policy := seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{
		deny,
		{Action: unknown, Names: known("clone3")}, // its flags lie in memory, where a filter cannot look: C libraries then call clone
	}}
	body, err := policy.Assemble()
	if err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	// The policy lets through what it does not know: calls of another machine, such as 32-bit ones, and those that are newer.
	program, err := bpf.Assemble(append([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 4, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(machine.ID), SkipTrue: 1},
		bpf.RetConstant{Val: uint32(seccomp.ActionKillProcess)},
		bpf.LoadAbsolute{Off: 0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpLessOrEqual, Val: newest, SkipTrue: 1},
		bpf.RetConstant{Val: uint32(unknown)},
	}, body...))
	if err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	code := make([]unix.SockFilter, len(program))
	for i, in := range program {
		code[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	p := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&p)), 0, 0); err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	return nil
}

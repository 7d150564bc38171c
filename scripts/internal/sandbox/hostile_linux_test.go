package sandbox_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// surroundings is what an attempt is told of the world that it is to reach.
type surroundings struct {
	Judge         int    // the process
	Secret        string // a file beside the judge
	Other         string // a file in another submission's scratch
	Given         string // a folder that may be read
	TCP, UDP      string
	Unix, Unnamed string // sockets, the second of the abstract kind
	Scratch       string
}

// attempts must all fail, but for those of `friendly`. Each returns an error if it did.
var attempts = map[string]func(s surroundings) error{
	"read the passwords":            func(surroundings) error { _, err := os.ReadFile("/etc/passwd"); return err },
	"read a file of the judge":      func(s surroundings) error { _, err := os.ReadFile(s.Secret); return err },
	"read another's scratch":        func(s surroundings) error { _, err := os.ReadFile(s.Other); return err },
	"write into another's scratch":  func(s surroundings) error { return os.WriteFile(s.Other, nil, 0o600) },
	"list another's scratch":        func(s surroundings) error { _, err := os.ReadDir(filepath.Dir(s.Other)); return err },
	"list the folder of the judge":  func(s surroundings) error { _, err := os.ReadDir(filepath.Dir(s.Secret)); return err },
	"read by way of a link":         func(s surroundings) error { return through(s, os.Symlink) },
	"read by way of a hard link":    func(s surroundings) error { return through(s, os.Link) },
	"change a file of the judge":    func(s surroundings) error { return os.WriteFile(s.Secret, []byte("x"), 0o600) },
	"cut a file of the judge":       func(s surroundings) error { return os.Truncate(s.Secret, 0) },
	"open up a file of the judge":   func(s surroundings) error { return os.Chmod(s.Secret, 0o777) },
	"age a file of the judge":       func(s surroundings) error { return os.Chtimes(s.Secret, time.Unix(1, 0), time.Unix(1, 0)) },
	"remove a file of the judge":    func(s surroundings) error { return os.Remove(s.Secret) },
	"move a file of the judge":      func(s surroundings) error { return os.Rename(s.Secret, filepath.Join(s.Scratch, "moved")) },
	"write beside the judge":        func(s surroundings) error { return os.WriteFile(s.Secret+".new", nil, 0o600) },
	"write into /":                  func(surroundings) error { return os.WriteFile("/new", nil, 0o600) },
	"write into /dev":               func(surroundings) error { return os.WriteFile("/dev/new", nil, 0o600) },
	"write into /dev/shm":           func(surroundings) error { return os.WriteFile("/dev/shm/new", nil, 0o600) },
	"write into /proc":              func(surroundings) error { return os.WriteFile("/proc/sys/kernel/core_pattern", []byte("|/x"), 0) },
	"write what may be read":        func(s surroundings) error { return os.WriteFile(filepath.Join(s.Given, "new"), nil, 0o600) },
	"change what may be read":       func(s surroundings) error { return os.WriteFile(filepath.Join(s.Given, "file"), nil, 0o600) },
	"open up what may be read":      func(s surroundings) error { return os.Chmod(s.Given, 0o777) },
	"run a shell":                   func(surroundings) error { return exec.Command("/bin/sh", "-c", "true").Run() },
	"open a TCP connection":         func(s surroundings) error { return dial("tcp", s.TCP) },
	"listen for TCP":                func(surroundings) error { return listen("tcp", "127.0.0.1:0") },
	"send by UDP":                   func(s surroundings) error { return dial("udp", s.UDP) },
	"connect to a socket":           func(s surroundings) error { return dial("unix", s.Unix) },
	"connect to an abstract socket": func(s surroundings) error { return dial("unix", s.Unnamed) },
	"listen at a socket":            func(s surroundings) error { return listen("unix", filepath.Join(s.Scratch, "socket")) },
	"talk to the kernel's network":  func(surroundings) error { _, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, 0); return err },
	"talk to the host of a machine": func(surroundings) error { _, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0); return err },
	"see the judge":                 func(s surroundings) error { return syscall.Kill(s.Judge, 0) },
	"signal the judge":              func(s surroundings) error { return syscall.Kill(s.Judge, syscall.SIGWINCH) },
	"signal the judge's group":      func(s surroundings) error { return syscall.Kill(-s.Judge, syscall.SIGWINCH) },
	"trace the judge":               func(s surroundings) error { return syscall.PtraceAttach(s.Judge) },
	"read the judge's memory":       func(s surroundings) error { _, err := os.Open(judges(s, "mem")); return err },
	"read the judge's environment":  func(s surroundings) error { _, err := os.ReadFile(judges(s, "environ")); return err },
	"read the judge's arguments":    func(s surroundings) error { _, err := os.ReadFile(judges(s, "cmdline")); return err },
	"read from the judge's files":   func(s surroundings) error { _, err := os.ReadDir(judges(s, "root/")); return err },
	"take over the first process":   func(surroundings) error { _, err := os.OpenFile("/proc/1/mem", os.O_RDWR, 0); return err },
	"read the first's files":        func(surroundings) error { _, err := os.ReadDir("/proc/1/fd"); return err },
	"become root":                   func(surroundings) error { return syscall.Setuid(0) },
	"take a namespace":              func(surroundings) error { return unix.Unshare(unix.CLONE_NEWUSER) },
	"take a namespace for a child": func(surroundings) error {
		_, _, errno := unix.RawSyscall6(unix.SYS_CLONE, unix.CLONE_NEWUSER|uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		return failed(errno)
	},
	"clone in a newer way": func(surroundings) error { return call(unix.SYS_CLONE3, 0, 0, 0) },
	"mount":                func(s surroundings) error { return unix.Mount("none", s.Scratch, "tmpfs", 0, "") },
	"leave the session":    func(surroundings) error { _, err := syscall.Setsid(); return err },
	"leave the group":      func(surroundings) error { return syscall.Setpgid(0, 0) },
	"open a file by its handle": func(surroundings) error {
		_, err := unix.OpenByHandleAt(unix.AT_FDCWD, unix.NewFileHandle(1, nil), 0)
		return err
	},
	"keep files in memory": func(surroundings) error { _, err := unix.MemfdCreate("x", 0); return err },
	"share memory":         func(surroundings) error { return call(unix.SYS_SHMGET, unix.IPC_PRIVATE, 1<<20, unix.IPC_CREAT|0o600) },
	"go round by io_uring": func(surroundings) error {
		return call(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&[256]byte{})), 0)
	},
	"load a program": func(surroundings) error { return call(unix.SYS_BPF, 0, uintptr(unsafe.Pointer(&[256]byte{})), 128) },
	"keep a key": func(surroundings) error {
		_, err := unix.AddKey("user", "x", []byte("x"), unix.KEY_SPEC_USER_KEYRING)
		return err
	},
	"ask for what is newer":      func(surroundings) error { return call(unix.SYS_MSEAL, 0, 0, 0) },
	"raise a limit":              func(surroundings) error { return raise() },
	"get privileges":             func(surroundings) error { return privileges() },
	"type into the terminal":     func(surroundings) error { return typeInto() },
	"find the terminal":          func(surroundings) error { _, err := os.OpenFile("/dev/tty", os.O_RDWR, 0); return err },
	"see what else runs":         func(surroundings) error { return neighbours() },
	"find a file that leaked":    func(surroundings) error { return leaked() },
	"find another's environment": func(surroundings) error { return environment() },
	"write a file that is large": func(s surroundings) error { return large(filepath.Join(s.Scratch, "large")) },
	"map more than it may": func(surroundings) error {
		_, err := unix.Mmap(-1, 0, 4<<30, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANON)
		return err
	},
	"start a process": func(surroundings) error { return exec.Command(os.Args[0], "hostile", "nothing").Run() },
	"fork":            func(surroundings) error { return fork() },
}

// friendly must succeed: what fails there would fail for the wrong reason.
var friendly = map[string]func(s surroundings) error{
	"write into the scratch": func(s surroundings) error { return os.WriteFile(filepath.Join(s.Scratch, "own"), []byte("x"), 0o600) },
	"read from the scratch":  func(s surroundings) error { _, err := os.ReadFile(filepath.Join(s.Scratch, "own")); return err },
	"move in the scratch": func(s surroundings) error {
		return os.Rename(filepath.Join(s.Scratch, "own"), filepath.Join(s.Scratch, "other"))
	},
	"read what may be read":         func(s surroundings) error { _, err := os.ReadFile(filepath.Join(s.Given, "file")); return err },
	"write to nobody":               func(surroundings) error { return os.WriteFile("/dev/null", []byte("x"), 0) },
	"read what is random":           func(surroundings) error { f, err := os.Open("/dev/urandom"); f.Close(); return err },
	"write to the channel":          func(surroundings) error { _, err := os.NewFile(3, "channel").WriteString("heard\n"); return err },
	"write to the second channel":   func(surroundings) error { _, err := os.NewFile(4, "channel").WriteString("heard\n"); return err },
	"be where it was told to be":    func(s surroundings) error { return same("folder", s.Scratch) },
	"have threads and use all CPUs": func(surroundings) error { done := make(chan bool); go close(done); <-done; return nil },
}

func same(_, want string) error {
	if have, err := os.Getwd(); err != nil || have != want {
		return fmt.Errorf("it is in %s: %w", have, err)
	}
	return nil
}

func failed(errno syscall.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}

func call(number, a, b, c uintptr) error {
	_, _, errno := unix.Syscall(number, a, b, c)
	return failed(errno)
}

func judges(s surroundings, name string) string { return fmt.Sprintf("/proc/%d/%s", s.Judge, name) }

func through(s surroundings, link func(from, to string) error) error {
	name := filepath.Join(s.Scratch, "link")
	os.Remove(name)
	if err := link(s.Secret, name); err != nil {
		return err
	}
	_, err := os.ReadFile(name)
	return err
}

func dial(network, address string) error {
	c, err := net.DialTimeout(network, address, time.Minute)
	if err != nil {
		return err
	}
	_, err = c.Write([]byte("x"))
	return err
}

func listen(network, address string) error {
	_, err := net.Listen(network, address)
	return err
}

func raise() error {
	var l syscall.Rlimit
	for _, resource := range []int{unix.RLIMIT_CPU, unix.RLIMIT_DATA, unix.RLIMIT_AS, unix.RLIMIT_FSIZE, unix.RLIMIT_CORE, unix.RLIMIT_NOFILE} {
		if err := syscall.Getrlimit(resource, &l); err != nil {
			return err
		}
		l.Max++
		if syscall.Setrlimit(resource, &l) == nil {
			return nil
		}
	}
	return errors.New("none was raised")
}

// privileges fails if this process has none.
func privileges() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err
	}
	for _, d := range data {
		if d.Effective|d.Permitted|d.Inheritable != 0 {
			fmt.Println("capabilities:", data)
			return nil
		}
	}
	none, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if os.Getuid() == 0 || os.Geteuid() == 0 || os.Getgid() == 0 || err != nil || none != 1 {
		fmt.Println("users, groups and no_new_privs:", os.Getuid(), os.Geteuid(), os.Getgid(), none, err)
		return nil
	}
	if groups, err := os.Getgroups(); err != nil || slices.Contains(groups, 0) {
		fmt.Println("groups:", groups, err)
		return nil
	}
	return errors.New("none are had")
}

func typeInto() error {
	for fd := range uintptr(3) {
		if call(unix.SYS_IOCTL, fd, unix.TIOCSTI, uintptr(unsafe.Pointer(&[]byte("x")[0]))) == nil {
			return nil
		}
	}
	return errors.New("not permitted")
}

// neighbours looks for processes besides this one and the first.
func neighbours() error {
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	if err == nil && len(found) <= 2 {
		err = errors.New("there are none")
	}
	return err
}

// leaked looks for open files that this process did not open itself: Go's own are closed on exec.
func leaked() error {
	for fd := 5; fd < 4096; fd++ {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			return nil
		}
	}
	return errors.New("there is none")
}

func environment() error {
	if env := os.Environ(); len(env) != 1 || env[0] != "GIVEN=yes" {
		fmt.Println(env)
		return nil
	}
	return errors.New("there is none")
}

// large writes a mebibyte more than the limit of the test.
func large(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	defer f.Close()
	block := make([]byte, 1<<20)
	for range fileLimit>>20 + 1 {
		if _, err := f.Write(block); err != nil {
			return err
		}
	}
	return nil
}

// fork makes a copy of this process, which ends at once.
func fork() error {
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno == 0 && pid == 0 {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	if errno != 0 {
		return errno
	}
	_, err := unix.Wait4(int(pid), nil, 0, nil)
	return err
}

// hostile is what this test program is in a sandbox. It prints what it attains.
func hostile(args []string) {
	switch args[0] {
	case "nothing":
	case "exit":
		code, _ := strconv.Atoi(args[1])
		os.Exit(code)
	case "attempts":
		var s surroundings
		decode(args[1], &s)
		for name, attempt := range friendly {
			if name != "read from the scratch" && name != "move in the scratch" {
				report("friendly: "+name, attempt(s))
			}
		}
		report("friendly: read from the scratch", friendly["read from the scratch"](s))
		report("friendly: move in the scratch", friendly["move in the scratch"](s))
		_ = syscall.Kill(-1, syscall.SIGWINCH) // by its result nobody can tell whether there was somebody: the judge looks
		for name, attempt := range attempts {
			report(name, attempt(s))
		}
		fmt.Println("end")
	case "wait":
		fmt.Println("waits")
		idle()
	case "loop":
		fmt.Println("loops")
		for n := 0; ; n++ {
			kept = append(kept[:0], byte(n))
		}
	case "allocate":
		for {
			kept = append(kept, make([]byte, 1<<20)...)
		}
	case "fill":
		fill(args[1])
	case "print":
		line := []byte(strings.Repeat("x", 1<<16))
		for {
			if _, err := os.Stdout.Write(line); err != nil {
				return
			}
		}
	case "bomb":
		bomb()
	case "survive":
		survive()
	case "children":
		cmd := exec.Command(os.Args[0], "hostile", "loop")
		cmd.Stdout = os.Stdout
		fmt.Println(cmd.Start())
		idle()
	}
}

// kept is what a program does not let go.
var kept []byte

// idle waits for ever. A program that waits for nothing at all ends by itself.
func idle() {
	for {
		time.Sleep(time.Hour)
	}
}

func report(name string, err error) {
	if err == nil {
		fmt.Printf("%s: done\n", name)
	} else {
		fmt.Printf("%s: failed: %v\n", name, err)
	}
}

// fill writes files until it may not.
func fill(folder string) {
	block := make([]byte, 1<<20)
	for i := 0; ; i++ {
		if err := os.WriteFile(filepath.Join(folder, strconv.Itoa(i)), block, 0o600); err != nil {
			fmt.Println("full after", i)
			idle()
		}
	}
}

// bomb forks until it may not. Its children only wait, and there is an end to it: a test that fails must not take the machine with it.
func bomb() {
	for range 5000 {
		pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		if errno == 0 && pid == 0 {
			for {
				unix.RawSyscall6(unix.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
			}
		}
		if errno != 0 {
			fmt.Println("refused:", errno)
			idle()
		}
	}
	fmt.Println("done")
	idle()
}

// survive leaves behind a child of a child that wants to leave the session, and ends.
func survive() {
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		fmt.Println("no child:", errno)
		return
	}
	if pid != 0 {
		fmt.Println("left")
		return
	}
	unix.RawSyscall(unix.SYS_SETSID, 0, 0, 0)
	if pid, _, _ := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0); pid != 0 {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	for {
		unix.RawSyscall6(unix.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
	}
}

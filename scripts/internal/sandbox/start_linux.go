package sandbox

import (
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	landlock "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"whyhow/scripts/internal/workbook"
)

// system is what a Sandbox is on Linux.
type system struct {
	bwrap      string  // the file of bubblewrap's program
	namespaces uintptr // that Landlock is helped by; 0: none may be had
}

func find(kind string) (*Sandbox, error) {
	s := &Sandbox{name: kind}
	if kind == Bubblewrap {
		var err error
		if s.bwrap, err = exec.LookPath("bwrap"); err != nil {
			return nil, workbook.Errorf("apt-get install bubblewrap, or the like", "bubblewrap is not installed: %w", err)
		}
		if err := s.probe(); err != nil {
			return nil, workbook.Errorf("a container needs the right to make namespaces: docker run --privileged; some systems need kernel.apparmor_restrict_unprivileged_userns=0; or take --sandbox=landlock",
				"%w", err)
		}
		return s, nil
	}
	version, err := landlock.LandlockGetABIVersion()
	if err == nil && version < 1 {
		err = unix.EOPNOTSUPP
	}
	if err != nil {
		return nil, workbook.Errorf("Landlock needs Linux 5.13, with landlock among the names of CONFIG_LSM", "this kernel has no Landlock: %w", err)
	}
	s.namespaces = unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
	if s.probe() != nil {
		s.namespaces = 0
		if err := s.probe(); err != nil {
			return nil, workbook.Errorf("install bubblewrap", "%w", err)
		}
	}
	s.lacks = landlockLacks(s.namespaces != 0, os.Getuid() == 0, version)
	return s, nil
}

// landlockLacks says what Landlock does not do, of a version and in company.
func landlockLacks(namespaces, root bool, version int) []string {
	lacks := []string{
		"whether a file of the machine exists, its size and its times can be seen, not its content",
		"the size of the scratch is looked at ten times a second, not limited",
	}
	if !namespaces {
		lacks = append(lacks, "there is no network namespace: system calls that make sockets are refused",
			"what a build has started ends by its own limits, if the judge is killed")
	}
	if !root {
		lacks = append(lacks, "the code has the judge's own user")
		if version < 3 {
			lacks = append(lacks, "files that the judge may write can be truncated")
		}
		if !namespaces {
			lacks = append(lacks, "processes are counted together with those of the judge's user, and a thousand more may be there")
			if version < 6 {
				lacks = append(lacks, "a build can send signals to the judge's processes")
			}
		}
	}
	return lacks
}

// Start starts a program. If ctx ends, it is ended.
func (s *Sandbox) Start(ctx context.Context, spec Spec) (*Process, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := spec.check(); err != nil {
		return nil, err
	}
	spec.Limits.fill()
	if s.name == None {
		return s.startPlain(ctx, spec)
	}
	o := order{Args: spec.Args, Env: spec.Env, Dir: spec.Dir, Files: len(spec.Files), Alone: spec.Limits.Alone, Landlock: s.name == Landlock}
	p := &Process{alone: spec.Limits.Alone, ended: make(chan struct{})}
	if os.Getuid() == 0 {
		var err error
		if o.User, p.lock, err = newUser(); err != nil {
			return nil, err
		}
	}
	if err := s.start(p, &spec, &o); err != nil {
		p.release()
		return nil, err
	}
	p.done = context.AfterFunc(ctx, p.Kill)
	watched := spec.Write
	if s.name == Landlock && spec.Scratch != "" {
		watched = append(slices.Clone(watched), spec.Scratch)
	}
	if len(watched) > 0 {
		go p.watch(watched, spec.Limits.Scratch)
	}
	return p, nil
}

func (s *Sandbox) start(p *Process, spec *Spec, o *order) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	o.Limits = s.limits(spec.Limits, o.User)
	if spec.Scratch != "" && s.name == Landlock {
		if err := os.MkdirAll(spec.Scratch, 0o755); err != nil {
			return err
		}
	}
	if err := s.permit(spec, o.User); err != nil {
		return err
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socketpair: %w", err)
	}
	mine, theirs := os.NewFile(uintptr(pair[0]), "the sandbox"), os.NewFile(uintptr(pair[1]), "the judge")
	defer theirs.Close()
	conn, err := net.FileConn(mine)
	mine.Close()
	if err != nil {
		return err
	}
	defer conn.Close()
	socket := conn.(*net.UnixConn)
	if err := passCredentials(socket); err != nil {
		return err
	}
	args := []string{self, command, strconv.Itoa(3 + len(spec.Files))}
	attr := &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if s.name == Bubblewrap {
		args = append(s.wrapping(spec, self, o.User), args...)
	} else if s.namespaces != 0 {
		attr.Cloneflags = s.namespaces
		if o.User == 0 {
			attr.Cloneflags |= unix.CLONE_NEWUSER
			attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getuid(), Size: 1}}
			attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getgid(), Size: 1}}
		}
	}
	if o.Landlock {
		o.split(slices.Concat([]string{self}, libraries(self), spec.Read), spec)
	}
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Dir, p.cmd.Env, p.cmd.SysProcAttr = "/", []string{}, attr
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.ExtraFiles = spec.Stdout, spec.Stderr, append(slices.Clone(spec.Files), theirs)
	if err := p.cmd.Start(); err != nil {
		return err
	}
	theirs.Close() // so that the end of the process is the end of the conversation
	if err := p.converse(socket, o); err != nil {
		_ = p.cmd.Process.Kill() // bubblewrap's own: what it has started ends with it
		_ = p.cmd.Wait()
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

// converse learns the numbers of the program, and of the first process of its namespace, and gives the order. It returns when the program has started.
func (p *Process) converse(socket *net.UnixConn, o *order) error {
	for p.inner == nil {
		who, pid, err := hello(socket)
		if err != nil {
			return errors.New("it ended before it could start the program")
		}
		process, err := os.FindProcess(pid)
		switch {
		case err != nil:
			return err
		case who == isFirst:
			p.first = process
		default:
			p.pid, p.inner = pid, process
		}
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if _, err := socket.Write(text); err != nil {
		return err
	}
	if err := socket.CloseWrite(); err != nil {
		return err
	}
	said, err := io.ReadAll(socket)
	if err == nil && len(said) > 0 {
		err = errors.New(string(said))
	}
	return err
}

// hello reads a byte, and who sent it.
func hello(socket *net.UnixConn) (who byte, pid int, err error) {
	text, control := make([]byte, 1), make([]byte, 256)
	n, m, _, _, err := socket.ReadMsgUnix(text, control)
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		return 0, 0, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:m])
	if err != nil {
		return 0, 0, err
	}
	if len(messages) == 0 {
		return 0, 0, io.ErrUnexpectedEOF
	}
	sender, err := unix.ParseUnixCredentials(&messages[0])
	if err != nil {
		return 0, 0, err
	}
	return text[0], int(sender.Pid), nil
}

// passCredentials has the kernel say with each message who sent it: by the number that it has here.
func passCredentials(socket *net.UnixConn) error {
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	if err := raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) }); err != nil {
		return err
	}
	return set
}

// nobody is who the code is in a user namespace.
const nobody = 65534

// wrapping is how bubblewrap is called. Where the judge is root there is no user namespace: the launcher becomes another user, for whom the kernel
// counts processes, as it does not for root by another name.
func (s *Sandbox) wrapping(spec *Spec, self string, user int) []string {
	args := []string{
		s.bwrap, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--hostname", "sandbox",
		"--as-pid-1", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
	}
	if user != 0 {
		args = append(args, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
	} else {
		args = append(args, "--unshare-user", "--disable-userns", "--uid", strconv.Itoa(nobody), "--gid", strconv.Itoa(nobody))
	}
	type mount struct {
		at   string
		args []string
	}
	mounts := []mount{{"/proc", []string{"--proc", "/proc"}}}
	for _, device := range []string{"/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"} {
		mounts = append(mounts, mount{device, []string{"--dev-bind-try", device, device}})
	}
	for _, path := range slices.Concat([]string{self}, libraries(self), spec.Read) {
		mounts = append(mounts, mount{path, []string{"--ro-bind", path, path}})
	}
	for _, path := range spec.Write {
		mounts = append(mounts, mount{path, []string{"--bind", path, path}})
	}
	if spec.Scratch != "" {
		mounts = append(mounts, mount{spec.Scratch, []string{"--perms", "0777", "--size", strconv.FormatInt(spec.Limits.Scratch, 10), "--tmpfs", spec.Scratch}})
	}
	// Bubblewrap would close the folders above to all but root.
	above := map[string]bool{"/": true}
	for _, m := range mounts {
		above[m.at] = true
	}
	for _, m := range slices.Clone(mounts) {
		for at := filepath.Dir(m.at); !above[at]; at = filepath.Dir(at) {
			above[at] = true
			mounts = append(mounts, mount{at, []string{"--perms", "0755", "--dir", at}})
		}
	}
	// A folder comes before what is mounted in it.
	slices.SortStableFunc(mounts, func(a, b mount) int { return strings.Compare(a.at, b.at) })
	for _, m := range mounts {
		args = append(args, m.args...)
	}
	return append(args, "--remount-ro", "/", "--")
}

// libraries are what a program needs that is not linked statically, as with the race detector.
func libraries(self string) (folders []string) {
	f, err := elf.Open(self)
	if err != nil {
		return nil
	}
	defer f.Close()
	if !slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return nil
	}
	for _, folder := range []string{"/lib", "/lib64", "/usr/lib", "/usr/lib64"} {
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			folders = append(folders, folder)
		}
	}
	return folders
}

// limits are the kernel's names for limits.
func (s *Sandbox) limits(l Limits, user int) []limit {
	// Go reserves address space that it does not use. What is shared or grows downward counts there alone.
	const reserved = 2 << 30
	seconds := max(1, uint64(l.CPU.Seconds()+0.999))
	all := []limit{
		{unix.RLIMIT_CPU, seconds},
		{unix.RLIMIT_FSIZE, uint64(l.File)},
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_NOFILE, 1024},
		{unix.RLIMIT_MEMLOCK, 64 << 10},
		{unix.RLIMIT_MSGQUEUE, 0},
	}
	if l.Memory != NoLimit {
		all = append(all, limit{unix.RLIMIT_DATA, uint64(l.Memory)}, limit{unix.RLIMIT_AS, uint64(l.Memory) + reserved})
	}
	// The kernel counts by user and user namespace. Where there is none of its own, all that the judge's user runs counts too, now and later.
	tasks := uint64(l.Tasks)
	if user == 0 && s.name == Landlock && s.namespaces == 0 {
		tasks += tasksOf(os.Getuid()) + 1000
	}
	return append(all, limit{unix.RLIMIT_NPROC, tasks})
}

// tasksOf counts the threads of all processes of a user.
func tasksOf(user int) (n uint64) {
	processes, _ := filepath.Glob("/proc/[0-9]*/task/*")
	for _, task := range processes {
		if info, err := os.Stat(task); err == nil {
			if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) == user {
				n++
			}
		}
	}
	return n
}

// split sorts what may be read, with what the launcher needs, into files and folders, which Landlock treats differently.
func (o *order) split(read []string, spec *Spec) {
	for _, path := range read {
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			o.ReadFiles = append(o.ReadFiles, path)
		} else {
			o.Folders = append(o.Folders, path)
		}
	}
	o.WriteFolders = slices.Clone(spec.Write)
	if spec.Scratch != "" {
		o.WriteFolders = append(o.WriteFolders, spec.Scratch)
	}
}

// permit gives the writable folders to the user, and finds what that user could not read.
func (s *Sandbox) permit(spec *Spec, user int) error {
	if user == 0 {
		return nil
	}
	writable := slices.Clone(spec.Write)
	if spec.Scratch != "" && s.name == Landlock {
		writable = append(writable, spec.Scratch)
	}
	for _, folder := range writable {
		if err := os.Lchown(folder, user, user); err != nil {
			return err
		}
	}
	for _, path := range slices.Concat(spec.Read, writable) {
		if err := s.readable(path, slices.Contains(writable, path)); err != nil {
			return err
		}
	}
	return nil
}

// readable finds out whether a user to whom nothing belongs can read a path. In bubblewrap the folders above it are others than on the host.
func (s *Sandbox) readable(path string, own bool) error {
	for at, need := path, os.FileMode(0o4); ; at, need = filepath.Dir(at), 0o1 {
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		if info.IsDir() && need == 0o4 {
			need = 0o5
		}
		if mode := info.Mode().Perm(); mode&need != need && !(own && at == path) {
			return workbook.Errorf("chmod o+rx "+at+", or keep it elsewhere; with bubblewrap the folders above it do not matter",
				"the sandbox has a user of its own, who may not read %s: %s is closed to others", path, at)
		}
		if at == "/" || s.name == Bubblewrap {
			return nil
		}
	}
}

// The users of sandboxes: numbers that systemd, too, keeps for passing users.
const firstUser, lastUser = 61184, 65519

// newUser finds a user whom no other sandbox on this machine has. The lock is a socket with a name: it goes with this process, whatever happens.
func newUser() (int, io.Closer, error) {
	count := lastUser - firstUser + 1
	for i := range count {
		user := firstUser + (os.Getpid()*64+i)%count
		lock, err := net.Listen("unix", fmt.Sprintf("@whyhow-sandbox-%d", user))
		if err == nil {
			return user, lock, nil
		}
		if !errors.Is(err, unix.EADDRINUSE) {
			return 0, nil, err
		}
	}
	return 0, nil, errors.New("all users for sandboxes are taken")
}

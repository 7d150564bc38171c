package sandbox

import (
	"errors"
	"fmt"
	"io/fs"

	landlock "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// What may be done with a file, and with what is in a folder.
const (
	readFile    = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE
	readFolder  = readFile | unix.LANDLOCK_ACCESS_FS_READ_DIR
	writeFile   = readFile | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	writeFolder = readFolder | writeFile | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_DIR |
		unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SYM | unix.LANDLOCK_ACCESS_FS_REFER
)

// handled is all that Landlock of a version can refuse. Source: the kernel's Documentation/userspace-api/landlock.rst, "Compatibility".
func handled(version int) landlock.RulesetAttr {
	const first = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1
	all := landlock.RulesetAttr{HandledAccessFS: first}
	for _, v := range []struct {
		version           int
		files, net, scope uint64
	}{
		{2, unix.LANDLOCK_ACCESS_FS_REFER, 0, 0},
		{3, unix.LANDLOCK_ACCESS_FS_TRUNCATE, 0, 0},
		{4, 0, unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, 0},
		{5, unix.LANDLOCK_ACCESS_FS_IOCTL_DEV, 0, 0},
		{6, 0, 0, unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL},
	} {
		if version >= v.version {
			all.HandledAccessFS |= v.files
			all.HandledAccessNet |= v.net
			all.Scoped |= v.scope
		}
	}
	return all
}

// restrict leaves to this thread what the order names of the file system, and devices that hold nothing. It is not the library's own Restrict: that one restricts all
// threads, by signals to each, and this one alone becomes the program. no_new_privs must be set.
func restrict(o order) error {
	version, err := landlock.LandlockGetABIVersion()
	if err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	all := handled(version)
	ruleset, err := landlock.LandlockCreateRuleset(&all, 0)
	if err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	defer unix.Close(ruleset)
	for _, rule := range []struct {
		paths  []string
		rights uint64
	}{
		{o.Folders, readFolder},
		{o.ReadFiles, readFile},
		{o.WriteFolders, writeFolder},
		{[]string{"/dev/null"}, writeFile},
		{[]string{"/dev/full", "/dev/random", "/dev/urandom", "/dev/zero"}, readFile},
	} {
		for _, path := range rule.paths {
			if err := allow(ruleset, path, rule.rights&all.HandledAccessFS); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("landlock: %s: %w", path, err)
			}
		}
	}
	if err := landlock.LandlockRestrictSelf(ruleset, 0); err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	return nil
}

func allow(ruleset int, path string, rights uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return landlock.LandlockAddPathBeneathRule(ruleset, &landlock.PathBeneathAttr{AllowedAccess: rights, ParentFd: fd}, 0)
}

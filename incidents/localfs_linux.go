package incidents

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// localFileSystem refuses a folder on NFS or SMB (statfs(2)): their locks do
// not hold between machines, and SQLite's shared memory is not shared.
func localFileSystem(dir string) error {
	var fs unix.Statfs_t
	for {
		err := unix.Statfs(dir, &fs)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("statfs %s: %w", dir, err)
		}
		break
	}
	const smb2, cifs = 0xFE534D42, 0xFF534D42
	switch uint32(fs.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, smb2, cifs:
		return errors.New("it is on a network file system, where a journal can be damaged; put it on a local disk (XDG_STATE_HOME)")
	}
	return nil
}

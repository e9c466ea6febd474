# The daemon that would do what it is asked for is outside of the sandbox.
fail "Docker can't be asked from where elements run without root: set DIB_CONTAINERFILE_RUNTIME=podman, or run this as root"

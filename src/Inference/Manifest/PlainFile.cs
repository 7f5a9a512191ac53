using System.Runtime.InteropServices;

namespace Detection.Inference.Manifest;

/// <summary>
/// Checks that a path is a file that can be read to its end. Opening a named pipe waits for ever, and a device may have no end, so one of them in the
/// folder of models would prevent the loading of all others.
/// </summary>
internal static unsafe class PlainFile
{
    /// <summary>Maximum size of a protocol buffer.</summary>
    public const long MaxGraphBytes = int.MaxValue;

    /// <summary>Far more than any detector needs.</summary>
    public const long MaxWeightsBytes = 16L * 1024 * 1024 * 1024;

    /// <summary>Maximum size of a manifest or a list of labels.</summary>
    public const long MaxTextBytes = 16 * 1024 * 1024;

    private const int MaxLinks = 40;
    private const ushort TypeMask = 0xF000;
    private const ushort RegularType = 0x8000;

    /// <summary>Refuses paths that are not files, and files that are too large.</summary>
    /// <param name="path">The path.</param>
    /// <param name="largest">Maximum size in bytes.</param>
    /// <exception cref="ModelException">The path is not a file, or the file is too large.</exception>
    /// <exception cref="IOException">The path does not exist or cannot be checked.</exception>
    public static void Require(string path, long largest)
    {
        string target = RealPath(path);
        var file = new FileInfo(target);
        if (!file.Exists)
        {
            throw Directory.Exists(target)
                ? new ModelException($"{path} is a folder, not a file; put the file there.")
                : new FileNotFoundException($"There is no file {path}.", path);
        }

        if (!IsRegular(target))
        {
            throw new ModelException($"{path} is a pipe, a socket or a device, not a file; remove it.");
        }

        if (file.Length > largest)
        {
            throw new ModelException($"{path} has {file.Length / (1024 * 1024)} MiB; at most {largest / (1024 * 1024)} can be read.");
        }
    }

    /// <summary>The path without symbolic links, also in its folders.</summary>
    /// <exception cref="IOException">The links form a circle.</exception>
    public static string RealPath(string path)
    {
        string full = Path.GetFullPath(path);
        string root = Path.GetPathRoot(full)!;
        string resolved = root;
        var rest = new Stack<string>(Parts(full[root.Length..]).Reverse());
        int links = 0;
        while (rest.TryPop(out string? part))
        {
            string next = part == ".." && IsRootOfProcess(resolved) ? resolved : Path.GetFullPath(Path.Combine(resolved, part));
            if (IsRootOfProcess(next) || new FileInfo(next).LinkTarget is not { } target)
            {
                resolved = next;
                continue;
            }

            if (++links > MaxLinks)
            {
                throw new IOException($"The symbolic links of {path} lead round in a circle.");
            }

            if (Path.IsPathRooted(target))
            {
                (resolved, target) = (Path.GetPathRoot(target)!, target[Path.GetPathRoot(target)!.Length..]);
            }

            foreach (string inner in Parts(target).Reverse())
            {
                rest.Push(inner);
            }
        }

        return resolved;
    }

    /// <summary>Whether a path is in a folder, after symbolic links of both are resolved.</summary>
    /// <exception cref="IOException">The links form a circle.</exception>
    public static bool IsInside(string folder, string path)
    {
        return StartsWith(Path.GetFullPath(folder), Path.GetFullPath(path)) && StartsWith(RealPath(folder), RealPath(path));

        static bool StartsWith(string folder, string path) =>
            path.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
    }

    /// <summary>
    /// <c>/proc/NUMBER/root</c> is reported as a link to <c>/</c>, but leads to the files of that process, which may be those of another container:
    /// KServe mounts models from images like this.
    /// </summary>
    private static bool IsRootOfProcess(string path) =>
        OperatingSystem.IsLinux() && path.StartsWith("/proc/", StringComparison.Ordinal) && Parts(path) is [_, _, "root"];

    private static string[] Parts(string path) => path.Split(
        [Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries);

    private static bool IsRegular(string path)
    {
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "statx", out nint statx))
        {
            return true;
        }

        // struct statx is the same on every architecture: 256 bytes, the mode as 16 bits at 28.
        const int CurrentFolder = -100;
        const uint WantsType = 1;
        byte* result = stackalloc byte[256];
        nint text = Marshal.StringToCoTaskMemUTF8(path);
        try
        {
            return ((delegate* unmanaged<int, nint, int, uint, byte*, int>)statx)(CurrentFolder, text, 0, WantsType, result) != 0
                || (*(ushort*)(result + 28) & TypeMask) == RegularType;
        }
        finally
        {
            Marshal.FreeCoTaskMem(text);
        }
    }
}

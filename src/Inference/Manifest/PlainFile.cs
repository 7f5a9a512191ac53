using System.Runtime.InteropServices;

namespace Detection.Inference.Manifest;

/// <summary>
/// Whether a path is a file that can be read to its end. Opening a named pipe waits for ever, and a device may have no end, so that
/// one of them in the folder of the models would keep all others from being loaded.
/// </summary>
internal static unsafe class PlainFile
{
    /// <summary>Protocol buffers end at 2 GiB.</summary>
    public const long MaxGraphBytes = int.MaxValue;

    /// <summary>Far more than any detector has.</summary>
    public const long MaxWeightsBytes = 16L * 1024 * 1024 * 1024;

    /// <summary>Of a manifest or a list of labels.</summary>
    public const long MaxTextBytes = 16 * 1024 * 1024;

    private const int MaxLinks = 40;
    private const ushort TypeMask = 0xF000;
    private const ushort RegularType = 0x8000;

    /// <summary>Refuses what is no file, or too large.</summary>
    /// <param name="path">The path.</param>
    /// <param name="largest">Most bytes.</param>
    /// <exception cref="ModelException">It is something else.</exception>
    /// <exception cref="IOException">Nothing is there, or it cannot be looked at.</exception>
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

    /// <summary>The path without symbolic links, those of its folders included.</summary>
    /// <exception cref="IOException">They go round in a circle.</exception>
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

    /// <summary>Whether a path lies in a folder, also when the symbolic links of both are followed.</summary>
    /// <exception cref="IOException">They go round in a circle.</exception>
    public static bool IsInside(string folder, string path)
    {
        return StartsWith(Path.GetFullPath(folder), Path.GetFullPath(path)) && StartsWith(RealPath(folder), RealPath(path));

        static bool StartsWith(string folder, string path) =>
            path.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
    }

    /// <summary>
    /// <c>/proc/NUMBER/root</c> says that it is a link to <c>/</c>, but leads to the files of that process, which may be those of another
    /// container: KServe mounts models that come as an image so.
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

using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Detection.Testing;

/// <summary>
/// The clock of the machine as one process sees it. Tests can set it while the process runs. A small library between the process and
/// the C library changes only <c>CLOCK_REALTIME</c>, as a change of the machine's clock does. The C compiler of this machine compiles it.
/// </summary>
/// <example><code>
/// using var clock = await MachineClock.CreateAsync();
/// var silo = cluster.AddSilo(clock.Settings);
/// clock.Set(TimeSpan.FromMinutes(-1));
/// </code></example>
public sealed class MachineClock : IDisposable
{
    private const string FileVariable = "DETECTION_TEST_CLOCK";

    private const string Source = $$"""
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <time.h>
        static int (*ask)(clockid_t, struct timespec *);
        static long off, read_at;
        int clock_gettime(clockid_t id, struct timespec *now) {
            if (!ask) ask = dlsym(RTLD_NEXT, "clock_gettime");
            int error = ask(id, now);
            if (error || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) return error;
            long tick = now->tv_sec * 10 + now->tv_nsec / 100000000;
            if (tick != read_at) {
                read_at = tick;
                const char *name = getenv("{{FileVariable}}");
                FILE *file = name ? fopen(name, "r") : 0;
                long value;
                if (file) { if (fscanf(file, "%ld", &value) == 1) off = value; fclose(file); }
            }
            now->tv_sec += off;
            return 0;
        }
        """;

    private static readonly string? Compiler = OperatingSystem.IsLinux() ? Executables.Find("cc") ?? Executables.Find("gcc") : null;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("detection-clock-");

    private MachineClock()
    {
    }

    /// <summary>The environment variables of the process with this clock.</summary>
    public Dictionary<string, string?> Settings => new(StringComparer.Ordinal) { ["LD_PRELOAD"] = Library, [FileVariable] = Offset };

    private string Library => Path.Combine(_folder.FullName, "clock.so");

    private string Offset => Path.Combine(_folder.FullName, "offset");

    /// <summary>Creates a clock with the right time. Skips the test when there is no C compiler.</summary>
    public static async Task<MachineClock> CreateAsync()
    {
        Assert.SkipUnless(Compiler is not null, "There is no C compiler.");
        var clock = new MachineClock();
        clock.Set(TimeSpan.Zero);
        var source = Path.Combine(clock._folder.FullName, "clock.c");
        await File.WriteAllTextAsync(source, Source);
        using var compiling = Process.Start(new ProcessStartInfo(Compiler, ["-shared", "-fPIC", "-O1", "-o", clock.Library, source, "-ldl"]))!;
        await compiling.WaitForExitAsync();
        Assert.Equal(0, compiling.ExitCode);
        return clock;
    }

    /// <summary>Sets the clock; the process sees the change within a tenth of a second.</summary>
    /// <param name="off">Difference from the right time, in whole seconds.</param>
    public void Set(TimeSpan off)
    {
        // Written at once, so that the process never reads a part of it.
        var next = Offset + ".next";
        File.WriteAllText(next, ((long)off.TotalSeconds).ToString(CultureInfo.InvariantCulture));
        File.Move(next, Offset, overwrite: true);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}

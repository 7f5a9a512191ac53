using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Detection.Testing;

/// <summary>
/// The clock of the machine as one process sees it, which can be set while the process runs. A small library between the process and
/// the C library moves <c>CLOCK_REALTIME</c> alone, as setting the clock of a machine does. It is compiled by the C compiler of this machine.
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

    /// <summary>The environment of the process whose clock it is.</summary>
    public Dictionary<string, string?> Settings => new(StringComparer.Ordinal) { ["LD_PRELOAD"] = Library, [FileVariable] = Offset };

    private string Library => Path.Combine(_folder.FullName, "clock.so");

    private string Offset => Path.Combine(_folder.FullName, "offset");

    /// <summary>Makes one that is right. Skips the test where there is no C compiler.</summary>
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

    /// <summary>Sets it; the process sees it within a tenth of a second.</summary>
    /// <param name="off">How far it is from the right one, in whole seconds.</param>
    public void Set(TimeSpan off)
    {
        // Whole at any time.
        var next = Offset + ".next";
        File.WriteAllText(next, ((long)off.TotalSeconds).ToString(CultureInfo.InvariantCulture));
        File.Move(next, Offset, overwrite: true);
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);
}

using Microsoft.ML.OnnxRuntime;

namespace Detection.Inference.Graphs;

/// <summary>
/// The memory of sessions that examine a file before it is served. A few bytes of a graph can request any amount of memory, and the system ends a
/// process when memory runs out. With this limit the run fails instead.
/// </summary>
internal static class TrialMemory
{
    /// <summary>Maximum memory of all such sessions together: 4 GiB, the maximum of the runtime's setting.</summary>
    public const uint MaxBytes = uint.MaxValue;

    private static readonly Lazy<bool> Allocator = new(Register);

    /// <summary>Makes a session allocate its memory here.</summary>
    public static void Use(SessionOptions options)
    {
        if (Allocator.Value)
        {
            options.AddSessionConfigEntry("session.use_env_allocators", "1");

            // Weights are freed with their session; in the shared memory they would leave a permanent hole.
            options.AddSessionConfigEntry("session.use_device_allocator_for_initializers", "1");
        }
    }

    /// <summary>Frees the memory of a run when it ends.</summary>
    public static void ShrinkArenaAfterRun(RunOptions options) => options.AddRunConfigEntry("memory.enable_memory_arena_shrinkage", "cpu:0");

    /// <summary>Whether a run failed because it exceeded the limit.</summary>
    public static bool IsExceeded(OnnxRuntimeException error) =>
        error.Message.Contains("Available memory of", StringComparison.Ordinal)
        || error.Message.Contains("Failed to allocate memory", StringComparison.Ordinal)
        || error.Message.Contains("bad_alloc", StringComparison.Ordinal);

    private static bool Register()
    {
        using var limits = new OrtArenaCfg(MaxBytes, 1, -1, -1);
        using var memory = new OrtMemoryInfo(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.ArenaAllocator, 0, OrtMemType.Default);
        try
        {
            OrtEnv.Instance().CreateAndRegisterAllocator(memory, limits);
            return true;
        }
        catch (OnnxRuntimeException)
        {
            // The application has registered its own shared memory. Sessions then use their own memory, without this limit.
            return false;
        }
    }
}

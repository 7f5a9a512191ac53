using Detection.Inference.Devices;
using Detection.Inference.Graphs;
using Detection.Inference.Manifest;

namespace Detection.Grains.Devices;

/// <summary>A model's session on a device. It is loaded again after the device failed.</summary>
internal sealed class DeviceSession(IInferenceDevice device, ModelSource source, IModelSession session, TimeProvider time)
{
    /// <summary>Loading takes seconds; a device that takes longer than this hangs.</summary>
    private static readonly TimeSpan LoadTimeout = TimeSpan.FromMinutes(5);

    /// <summary>The session; <see langword="null"/> while none is loaded.</summary>
    public IModelSession? Current { get; private set; } = session;

    /// <summary>Whether the files have changed to another version, so that this one cannot be loaded again.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Whether a run was ended but still occupies the device. Only the end of the process ends such a run.</summary>
    public bool HasHungRun => Current is { Unending.IsCompleted: true };

    /// <summary>Checks whether the files have changed to another version.</summary>
    public bool IsReplaced() => IsLost = !ModelVersion.IsUnchanged(source);

    /// <summary>Loads the model again.</summary>
    public async Task<IModelSession> LoadAsync(CancellationToken cancellationToken)
    {
        var loading = device.LoadAsync(source, cancellationToken);
        try
        {
            Current = await loading.WaitAsync(LoadTimeout, time, CancellationToken.None);
            return Current;
        }
        catch (TimeoutException)
        {
            _ = DisposeLateAsync(loading);
            throw;
        }

        static async Task DisposeLateAsync(Task<IModelSession> loading)
        {
            await using var late = await loading;
        }
    }

    /// <summary>Frees the session; <see langword="false"/> when a run on it does not end: freeing it then would crash the process.</summary>
    public async Task<bool> DisposeAsync(TimeSpan patience)
    {
        if (Current is not { } session)
        {
            return true;
        }

        try
        {
            await session.DisposeAsync().AsTask().WaitAsync(patience, time);
        }
        catch (TimeoutException)
        {
            return false;
        }

        Current = null;
        return true;
    }
}

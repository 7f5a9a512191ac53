using Detection.Contracts.Cluster;

namespace Detection.Grains.Health;

/// <summary>
/// The health of a device with a model as a state machine: serving, suspect after an error, quarantined after
/// <paramref name="maxErrors"/> errors with no success between them, reloading, and then serving again or broken.
/// Safe for concurrent use.
/// </summary>
internal sealed class HealthTracker(int maxErrors)
{
    private readonly Lock _gate = new();
    private DeviceHealth _state = DeviceHealth.Serving;
    private TaskCompletionSource _left = NewSource();
    private int _errorsInARow;

    public DeviceHealth State
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    /// <summary>Whether the device may get pictures.</summary>
    public bool Serves => State is DeviceHealth.Serving or DeviceHealth.Suspect;

    /// <summary>Why it is not <see cref="DeviceHealth.Serving"/>, in one sentence.</summary>
    public string? Reason { get; private set; }

    /// <summary>Errors since the model was loaded for the first time.</summary>
    public long Errors { get; private set; }

    /// <summary>A task that is completed while the device is not serving.</summary>
    public Task Left
    {
        get
        {
            lock (_gate)
            {
                return _left.Task;
            }
        }
    }

    /// <summary>A run succeeded.</summary>
    public void Succeeded()
    {
        lock (_gate)
        {
            _errorsInARow = 0;
            if (_state == DeviceHealth.Suspect)
            {
                (_state, Reason) = (DeviceHealth.Serving, null);
            }
        }
    }

    /// <summary>A run failed on the device.</summary>
    public void Failed(string reason)
    {
        lock (_gate)
        {
            Errors++;
            if (_state is not (DeviceHealth.Serving or DeviceHealth.Suspect))
            {
                return;
            }

            if (++_errorsInARow >= maxErrors)
            {
                Leave(reason);
            }
            else
            {
                (_state, Reason) = (DeviceHealth.Suspect, reason);
            }
        }
    }

    /// <summary>The device must not get another picture, for example because it returns wrong outputs without an error.</summary>
    public void Quarantine(string reason)
    {
        lock (_gate)
        {
            Errors++;
            if (_state is DeviceHealth.Serving or DeviceHealth.Suspect)
            {
                Leave(reason);
            }
        }
    }

    /// <summary>Its model is being reloaded.</summary>
    public void Reload()
    {
        lock (_gate)
        {
            if (_state is DeviceHealth.Quarantined or DeviceHealth.Broken)
            {
                _state = DeviceHealth.Reloading;
            }
        }
    }

    /// <summary>The model was reloaded, and the test picture succeeded.</summary>
    public void Recovered()
    {
        lock (_gate)
        {
            if (_state == DeviceHealth.Reloading)
            {
                (_state, Reason, _errorsInARow) = (DeviceHealth.Serving, null, 0);
                _left = NewSource();
            }
        }
    }

    /// <summary>It failed although its model was reloaded.</summary>
    public void Break(string reason)
    {
        lock (_gate)
        {
            if (_state == DeviceHealth.Reloading)
            {
                Errors++;
                (_state, Reason) = (DeviceHealth.Broken, reason);
            }
        }
    }

    private void Leave(string reason)
    {
        (_state, Reason) = (DeviceHealth.Quarantined, reason);
        _left.TrySetResult();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

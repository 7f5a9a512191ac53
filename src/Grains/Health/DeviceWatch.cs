using Detection.Contracts.Cluster;
using Detection.Grains.Placement;
using Detection.Inference.Devices;
using Detection.Inference.Graphs;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Health;

/// <summary>
/// Watches over a device with a model: hears how runs end, tries the device with the test picture, and decides whether it may have more
/// pictures.
/// </summary>
internal sealed partial class DeviceWatch
{
    /// <summary>Between two attempts with the test picture while the device is suspect. Others claim what it returned meanwhile.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest wait for the test picture while pictures wait that a device failed on.</summary>
    private static readonly TimeSpan MaxTrialTime = TimeSpan.FromSeconds(2);

    private readonly BatcherKey _key;
    private readonly HealthTracker _tracker;
    private readonly HealthProbe _probe;
    private readonly SiloShutdown _end;
    private readonly HealthMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private long _failedAt;

    /// <param name="key">The device and the model.</param>
    /// <param name="tracker">Its state.</param>
    /// <param name="probe">Tries it with the test picture.</param>
    /// <param name="end">Ends the silo where only a new process has the device back.</param>
    /// <param name="metrics">Counts errors.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public DeviceWatch(BatcherKey key, HealthTracker tracker, HealthProbe probe, SiloShutdown end, HealthMetrics metrics, TimeProvider time, ILogger logger)
    {
        (_key, _tracker, _probe, _end, _metrics, _time, _logger) = (key, tracker, probe, end, metrics, time, logger);
        metrics.Errors(key, 0);
    }

    /// <summary>Its state and how it came to it.</summary>
    public HealthTracker Tracker => _tracker;

    /// <summary>The model's pictures on the device.</summary>
    public PicturesOnDevice OnDevice => _probe.OnDevice;

    /// <summary>
    /// Whether the device is to be blamed for an error, and not the picture or a process without memory. A model that returns an invalid output is to be blamed itself, unless
    /// it gave sound boxes on this device before.
    /// </summary>
    public bool IsDeviceError(Exception? error) => error is not (PictureException or WrongPictureException or OutOfMemoryException) && (error is not ModelException || _probe.Tells);

    /// <summary>The first invalid output of the model, one sentence with what to do; <see langword="null"/> when there was none.</summary>
    public string? InvalidOutput { get; private set; }

    /// <summary>The model returned an invalid output, which is not the device's fault. Logged once per model.</summary>
    public void ReportInvalidOutput(ModelException error)
    {
        if (InvalidOutput is null)
        {
            InvalidOutput = $"The model {_key.Model} fails on pictures, on some or on all: {error.Message}";
            LogNonsense(_key, error.Message);
        }
    }

    /// <summary>
    /// Whether the device may have more pictures. One that failed must come out right with the test picture first, so that a picture on
    /// which every device fails puts none out of service.
    /// </summary>
    public async Task<bool> CanClaimAsync(IModelSession session, CancellationToken cancellationToken)
    {
        while (_tracker.State == DeviceHealth.Suspect)
        {
            if (HasJustFailed)
            {
                await Task.Delay(Pause, _time, cancellationToken);
            }

            if ((await TryAsync(session, cancellationToken)).Verdict == ProbeVerdict.Unknown)
            {
                // Nothing but pictures can tell.
                await Task.Delay(Pause, _time, cancellationToken);
                break;
            }
        }

        return _tracker.Serves;
    }

    /// <summary>
    /// Whether a device that failed on pictures fails on the test picture as well, so that its failure says nothing of those pictures.
    /// </summary>
    public async Task<bool> IsSickAsync(IModelSession session, Exception error)
    {
        if (error is RunTimeoutException)
        {
            // Other such pictures may keep the known one waiting, and each attempt takes a device for long.
            return false;
        }

        if (!_tracker.Serves || HasJustFailed)
        {
            return true;
        }

        try
        {
            return _probe.Tells && (await ProbeAsync(session).WaitAsync(MaxTrialTime, _time)).Verdict != ProbeVerdict.Sound;
        }
        catch (TimeoutException)
        {
            return true;
        }
    }

    /// <summary>Pictures of a batch have ended.</summary>
    /// <param name="detected">Pictures with a result.</param>
    /// <param name="errors">Pictures that failed because of the device.</param>
    /// <param name="error">One of these errors.</param>
    public void Ended(int detected, int errors, Exception? error)
    {
        if (detected > 0)
        {
            _tracker.Succeeded();
        }

        if (error is not null)
        {
            _metrics.Errors(_key, errors);

            // While the test picture is to try the device, further errors of what was claimed before say nothing new.
            if (_tracker.State != DeviceHealth.Suspect || !_probe.Tells || DeviceFault.NeedsNewProcess(error))
            {
                Failed(error.Message, error);
            }
        }
    }

    /// <summary>Tries the device with the test picture until that says something about it.</summary>
    public async Task<ProbeResult> TryAsync(IModelSession session, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await ProbeAsync(session).WaitAsync(cancellationToken);
            if (result.Verdict != ProbeVerdict.NotTried)
            {
                return result;
            }

            await Task.Delay(Pause, _time, cancellationToken);
        }
    }

    /// <summary>Tries the device with the test picture.</summary>
    public async Task<ProbeResult> ProbeAsync(IModelSession session)
    {
        var result = await _probe.RunAsync(session);
        if (result.Verdict == ProbeVerdict.NotTried)
        {
            LogNotTried(_key, result.Reason!);
            return result;
        }

        Volatile.Write(ref _failedAt, result.Verdict is ProbeVerdict.Failed or ProbeVerdict.Blind ? _time.GetTimestamp() : 0);
        switch (result.Verdict)
        {
            case ProbeVerdict.Sound:
                _tracker.Succeeded();
                break;
            case ProbeVerdict.Unknown when result.Error is ModelException error:
                ReportInvalidOutput(error);
                break;
            case ProbeVerdict.Blind:
                _metrics.Errors(_key, 1);
                Quarantine(result.Reason!);
                break;
            case ProbeVerdict.Failed:
                _metrics.Errors(_key, 1);
                if (result.Error is null)
                {
                    Quarantine(result.Reason!); // It hangs.
                }
                else
                {
                    Failed(result.Reason!, result.Error);
                }

                break;
        }

        return result;
    }

    /// <summary>Whether the silo ends.</summary>
    public bool IsSiloEnding => _end.IsRequested;

    /// <summary>Ends the silo: only a new process has the device back.</summary>
    /// <param name="reason">What is wrong with the device, one sentence.</param>
    public void EndSilo(string reason) => _end.Request(_key.ToString(), reason);

    /// <summary>A run on the device was ended and goes on: only a new process has the device's threads back, for this model and for all others.</summary>
    public void ReportHungRun()
    {
        const string Reason = "A run of the model does not end, and cannot be ended.";
        Quarantine(Reason);
        EndSilo(Reason);
    }

    /// <summary>Whether the test picture came out wrong a moment ago.</summary>
    private bool HasJustFailed => Volatile.Read(ref _failedAt) is var failed and not 0 && _time.GetElapsedTime(failed) < Pause;

    private void Failed(string reason, Exception error)
    {
        if (DeviceFault.NeedsNewProcess(error))
        {
            Quarantine(reason);
            EndSilo(reason);
            return;
        }

        var served = _tracker.Serves;
        _tracker.Failed(reason);
        LogFailed(_key, _tracker.State, reason);
        if (served && !_tracker.Serves)
        {
            LogQuarantined(_key, reason);
        }
    }

    private void Quarantine(string reason)
    {
        var served = _tracker.Serves;
        _tracker.Quarantine(reason);
        if (served)
        {
            LogQuarantined(_key, reason);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Device of {Batcher} failed; it is {Health}: {Reason}")]
    private partial void LogFailed(BatcherKey batcher, DeviceHealth health, string reason);

    [LoggerMessage(3, LogLevel.Warning, "Model of {Batcher} returned an invalid output; pictures with invalid outputs fail, others are served: {Reason}")]
    private partial void LogNonsense(BatcherKey batcher, string reason);

    [LoggerMessage(4, LogLevel.Information, "Device of {Batcher} was not tried with the test picture; it is tried again later: {Reason}")]
    private partial void LogNotTried(BatcherKey batcher, string reason);

    [LoggerMessage(2, LogLevel.Error, "Device of {Batcher} is quarantined; it claims no pictures, and its model is reloaded: {Reason}")]
    private partial void LogQuarantined(BatcherKey batcher, string reason);
}

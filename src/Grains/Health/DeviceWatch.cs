using Detection.Contracts.Cluster;
using Detection.Grains.Placement;
using Detection.Inference.Devices;
using Detection.Inference.Graphs;
using Detection.Inference.Inspection;
using Detection.Inference.Manifest;
using Detection.Inference.Pictures;
using Microsoft.Extensions.Logging;

namespace Detection.Grains.Health;

/// <summary>
/// Watches over a device with a model: counts the outcomes of its runs, runs the test picture on it, and decides whether it may get more pictures.
/// </summary>
internal sealed partial class DeviceWatch
{
    /// <summary>Pause between two runs of the test picture while the device is suspect. Other devices claim its returned items meanwhile.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest wait for the test picture while pictures wait on which a device failed.</summary>
    private static readonly TimeSpan MaxTrialTime = TimeSpan.FromSeconds(2);

    private readonly BatcherKey _key;
    private readonly HealthTracker _tracker;
    private readonly HealthProbe _probe;
    private readonly SiloShutdown _end;
    private readonly HealthMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private long _failedAt;

    public DeviceWatch(BatcherKey key, HealthTracker tracker, HealthProbe probe, SiloShutdown end, HealthMetrics metrics, TimeProvider time, ILogger logger)
    {
        (_key, _tracker, _probe, _end, _metrics, _time, _logger) = (key, tracker, probe, end, metrics, time, logger);
        metrics.Errors(key, 0);
    }

    /// <summary>Its health and the reason.</summary>
    public HealthTracker Tracker => _tracker;

    /// <summary>The model's pictures on the device.</summary>
    public PicturesOnDevice OnDevice => _probe.OnDevice;

    /// <summary>
    /// Whether the device caused an error, and not the picture or a process without memory. An invalid output is the fault of the model, unless the
    /// model returned correct boxes on this device before.
    /// </summary>
    public bool IsDeviceError(Exception? error) => error is not (PictureException or WrongPictureException or OutOfMemoryException) && (error is not ModelException || _probe.IsConclusive);

    /// <summary>The first invalid output of the model, or that it finds nothing, in one sentence with what to do; <see langword="null"/> when there was none.</summary>
    public string? InvalidOutput { get; private set; }

    /// <summary>The model cannot find anything, which is not a fault of the device. Logged once per model.</summary>
    private void ReportFindsNothing(string sign)
    {
        if (InvalidOutput is null)
        {
            InvalidOutput = ScoreSigns.Describe($"The model {_key.Model}", sign);
            LogFindsNothing(_key, sign);
        }
    }

    /// <summary>The model returned an invalid output, which is not a fault of the device. Logged once per model.</summary>
    public void ReportInvalidOutput(ModelException error)
    {
        if (InvalidOutput is null)
        {
            InvalidOutput = $"The model {_key.Model} fails on pictures, on some or on all: {error.Message}";
            LogNonsense(_key, error.Message);
        }
    }

    /// <summary>
    /// Whether the device may get more pictures. A device that failed must first succeed with the test picture. So a picture on which every device
    /// fails puts no device out of service.
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
                // The test picture does not work with this model: only pictures of requests can show the health.
                await Task.Delay(Pause, _time, cancellationToken);
                break;
            }
        }

        return _tracker.Serves;
    }

    /// <summary>Whether a device that failed on pictures also fails on the test picture, so that its failure is not a fault of those pictures.</summary>
    public async Task<bool> IsSickAsync(IModelSession session, Exception error)
    {
        if (error is RunTimeoutException)
        {
            // Other such pictures may delay the test picture, and each attempt occupies the device for long.
            return false;
        }

        if (!_tracker.Serves || HasJustFailed)
        {
            return true;
        }

        try
        {
            return _probe.IsConclusive && (await ProbeAsync(session).WaitAsync(MaxTrialTime, _time)).Verdict != ProbeVerdict.Sound;
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

            // Until the test picture has run, further errors of pictures that were claimed before give no new information.
            if (_tracker.State != DeviceHealth.Suspect || !_probe.IsConclusive || DeviceFault.NeedsNewProcess(error))
            {
                Failed(error.Message, error);
            }
        }
    }

    /// <summary>Runs the test picture until its outcome shows the health of the device.</summary>
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

    /// <summary>Runs the test picture on the device.</summary>
    public async Task<ProbeResult> ProbeAsync(IModelSession session)
    {
        var result = await _probe.RunAsync(session);
        if (result.Verdict == ProbeVerdict.NotTried)
        {
            LogNotTried(_key, result.Reason!);
            return result;
        }

        if (result.ScoreSign is { } sign)
        {
            ReportFindsNothing(sign);
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

    /// <summary>Ends the silo, because only a new process can use the device again.</summary>
    public void EndSilo(string reason) => _end.Request(_key.ToString(), reason);

    /// <summary>A run was ended but still occupies the device: only a new process frees its threads, for this model and all others.</summary>
    public void ReportHungRun()
    {
        const string Reason = "A run of the model does not end, and cannot be ended.";
        Quarantine(Reason);
        EndSilo(Reason);
    }

    /// <summary>Whether the test picture failed a moment ago.</summary>
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

    [LoggerMessage(4, LogLevel.Information, "The test picture did not reach the device of {Batcher}; retrying later: {Reason}")]
    private partial void LogNotTried(BatcherKey batcher, string reason);

    [LoggerMessage(5, LogLevel.Warning, "Model of {Batcher} finds nothing in any picture; it is served all the same: {Reason}")]
    private partial void LogFindsNothing(BatcherKey batcher, string reason);

    [LoggerMessage(2, LogLevel.Error, "Device of {Batcher} is quarantined; it claims no pictures, and its model is reloaded: {Reason}")]
    private partial void LogQuarantined(BatcherKey batcher, string reason);
}

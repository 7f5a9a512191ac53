namespace Detection.Client;

/// <summary>Whether the client is connected to a silo, as Orleans reports it.</summary>
internal sealed class ClusterReach : IClusterConnectionStatusObserver
{
    private volatile bool _isConnected;
    private volatile string? _fault;
    private TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Completes when the next connection to a silo closes: the calls that this silo runs are lost, and Orleans does not report it before they time out.
    /// </summary>
    public Task NextClosed => Volatile.Read(ref _closed).Task;

    /// <summary>Whether a connection that a silo accepted is open.</summary>
    public bool IsConnected => _isConnected;

    /// <summary>Why the last attempt failed; <see langword="null"/> when none failed, or a later one succeeded.</summary>
    public string? Fault => _isConnected ? null : _fault;

    public void Connected()
    {
        _fault = null;
        _isConnected = true;
    }

    public void Failed(Exception exception) => _fault = exception.GetBaseException().Message;

    void IClusterConnectionStatusObserver.NotifyGatewayCountChanged(int currentNumberOfGateways, int previousNumberOfGateways, bool connectionRecovered)
    {
        if (currentNumberOfGateways > 0)
        {
            Connected();
        }
        else
        {
            _isConnected = false;
        }

        if (currentNumberOfGateways < previousNumberOfGateways)
        {
            Interlocked.Exchange(ref _closed, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        }
    }

    void IClusterConnectionStatusObserver.NotifyClusterConnectionLost()
    {
        _fault = "the connection to every silo was lost";
        _isConnected = false;
    }
}

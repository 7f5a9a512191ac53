namespace Detection.Contracts.Storage;

/// <summary>Work that outlives the request which happens to start it.</summary>
public static class DetachedWork
{
    /// <summary>
    /// Runs it on the thread pool, without the ambient values of the caller (<see cref="AsyncLocal{T}"/>): a connection would keep the trace, the
    /// log scopes and the HTTP request of whoever came first, for as long as it is open.
    /// </summary>
    public static Task<T> Run<T>(Func<Task<T>> work)
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            return Task.Run(work);
        }

        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(work);
        }
    }
}

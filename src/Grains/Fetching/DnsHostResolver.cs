using System.Net;
using System.Net.Sockets;
using Detection.Contracts.Sharing;
using DnsClient;
using DnsClient.Protocol;
using Microsoft.Extensions.Options;

namespace Detection.Grains.Fetching;

/// <summary>
/// Resolves names as the operating system does (hosts file, name servers and search domains of resolv.conf), but without its resolver. That resolver
/// occupies a thread until it times out, even if no request waits any more. Here a lookup is a datagram and an asynchronous wait that can be
/// cancelled.
/// </summary>
internal sealed class DnsHostResolver : IHostResolver
{
    private const int MaxLookups = 64;
    private const double CallerShare = 0.5;
    private const int MinAttempts = 3;

    private static readonly TimeSpan SettingsAge = TimeSpan.FromSeconds(5);

    // How long to wait for the other kind of addresses once one kind has been answered.
    private static readonly TimeSpan OtherKind = TimeSpan.FromMilliseconds(300);

    // Each query names its server, but the client requires one at construction.
    private static readonly IPEndPoint NoServer = new(IPAddress.Loopback, 9);

    private readonly SharedPlaces _places = new(MaxLookups, CallerShare, siteShare: 1);
    private readonly LookupClient _client = new(new LookupClientOptions(NoServer) { UseCache = false });
    private readonly DnsQueryOptions _query;
    private readonly ResolverSettings? _configured;
    private readonly HostsFile _hosts;
    private readonly AddressCache _cache;
    private readonly TimeSpan _patience;
    private readonly TimeProvider _time;
    private readonly string _settingsPath;
    private ResolverSettings? _system;
    private long _systemRead;

    public DnsHostResolver(IOptions<FetchOptions> options, TimeProvider time)
        : this(options, time, HostsFile.SystemPath, ResolverSettings.SystemPath)
    {
    }

    internal DnsHostResolver(IOptions<FetchOptions> options, TimeProvider time, string hostsPath, string settingsPath)
    {
        var settings = options.Value;
        _time = time;
        _settingsPath = settingsPath;
        _hosts = new HostsFile(hostsPath);
        _cache = new AddressCache(time);

        // After this time without an answer the next server is asked as well; a late answer still counts.
        _patience = settings.ResolveTimeout / (MinAttempts + 1);
        _query = new DnsQueryOptions { UseCache = false, Retries = 0, Timeout = settings.ResolveTimeout, UseTcpFallback = true, ThrowDnsErrors = false };
        IPEndPoint[] servers = [.. settings.NameServers.Select(static text =>
            ResolverSettings.TryParseServer(text, out var server) ? server : throw new FormatException($"'{text}' is not a name server."))];
        _configured = servers.Length > 0 ? ResolverSettings.OfSystem(settingsPath) with { Servers = servers } : null;
    }

    /// <inheritdoc/>
    public async Task<IPAddress[]> ResolveAsync(string host, string? caller, CancellationToken cancellationToken)
    {
        if (host == "localhost" || host.EndsWith(".localhost", StringComparison.Ordinal))
        {
            // RFC 6761: these names are not looked up.
            return [IPAddress.Loopback, IPAddress.IPv6Loopback];
        }

        if (_cache.Find(host) is { } known)
        {
            return known;
        }

        if (_hosts.Find(host) is { Length: > 0 } own)
        {
            return own;
        }

        using var place = await _places.EnterAsync(caller, site: null, cancellationToken);
        return await LookUpAsync(host, cancellationToken);
    }

    private async Task<IPAddress[]> LookUpAsync(string host, CancellationToken cancellationToken)
    {
        var settings = _configured ?? OfSystem();
        var failed = false;
        foreach (var name in settings.Candidates(host))
        {
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            try
            {
                var answer = await AskForBothAsync(name, settings.Servers, ended.Token);
                failed |= answer.Failed;
                if (answer.Addresses.Length > 0)
                {
                    if (!answer.Failed)
                    {
                        _cache.Keep(host, answer.Addresses, answer.Lifetime);
                    }

                    return answer.Addresses;
                }
            }
            finally
            {
                await ended.CancelAsync();
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        throw new SocketException((int)(failed ? SocketError.TryAgain : SocketError.HostNotFound));
    }

    /// <summary>The addresses of both kinds, alternating, IPv4 first.</summary>
    private async Task<Answer> AskForBothAsync(string name, IReadOnlyList<IPEndPoint> servers, CancellationToken cancellationToken)
    {
        var v4 = AskAsync(name, QueryType.A, servers, cancellationToken);
        var v6 = AskAsync(name, QueryType.AAAA, servers, cancellationToken);
        var first = await Task.WhenAny(v4, v6);
        if ((await first).Addresses.Length > 0)
        {
            await Task.WhenAny(Task.WhenAll(v4, v6), Task.Delay(OtherKind, _time, cancellationToken));
        }
        else
        {
            await Task.WhenAll(v4, v6);
        }

        Answer[] both = [v4.IsCompleted ? await v4 : Answer.None, v6.IsCompleted ? await v6 : Answer.None];
        var addresses = new List<IPAddress>();
        for (var i = 0; i < Math.Max(both[0].Addresses.Length, both[1].Addresses.Length); i++)
        {
            addresses.AddRange(both.Where(answer => i < answer.Addresses.Length).Select(answer => answer.Addresses[i]));
        }

        return new Answer([.. addresses], both.Min(static answer => answer.Lifetime), both.Any(static answer => answer.Failed));
    }

    /// <summary>Asks the servers one after the other, each shortly after the one before, and uses the first answer that arrives.</summary>
    private async Task<Answer> AskAsync(string name, QueryType type, IReadOnlyList<IPEndPoint> servers, CancellationToken cancellationToken)
    {
        if (Question(name, type) is not { } question)
        {
            return Answer.NoSuchName;
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task<IDnsQueryResponse?>> asked = [];
        try
        {
            var left = Math.Max(servers.Count, MinAttempts);
            for (var next = 0; left > 0 || asked.Count > 0;)
            {
                var pause = Task.Delay(Timeout.InfiniteTimeSpan, ended.Token);
                if (left > 0)
                {
                    asked.Add(AskOneAsync(question, servers[next++ % servers.Count], ended.Token));
                    left--;
                    pause = left > 0 ? Task.Delay(_patience, _time, ended.Token) : pause;
                }

                var first = await Task.WhenAny([pause, .. asked]);
                cancellationToken.ThrowIfCancellationRequested();
                if (first is Task<IDnsQueryResponse?> answered)
                {
                    asked.Remove(answered);
                    if (await answered is { } response)
                    {
                        return Read(response, question);
                    }
                }
            }

            return Answer.None;
        }
        finally
        {
            await ended.CancelAsync();
        }
    }

    /// <summary>
    /// The query for a name; <see langword="null"/> when the name is too long: labels have at most 63 bytes, names 255 (RFC 1035, 2.3.4).
    /// </summary>
    private static DnsQuestion? Question(string name, QueryType type)
    {
        try
        {
            return new DnsQuestion(name, type);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary>Sends one query to one server; <see langword="null"/> without a usable answer.</summary>
    private async Task<IDnsQueryResponse?> AskOneAsync(DnsQuestion question, IPEndPoint server, CancellationToken cancellationToken)
    {
        try
        {
            var response = await _client.QueryServerAsync([new NameServer(server)], question, _query, cancellationToken);
            return response.Header.ResponseCode is DnsHeaderResponseCode.NoError or DnsHeaderResponseCode.NotExistentDomain ? response : null;
        }
        catch (Exception)
        {
            // A timeout, an invalid answer, a closed port, or a name that no query can contain: the next server may succeed.
            return null;
        }
    }

    /// <summary>The addresses of the queried name and of its aliases (RFC 1034, 4.3.2); records of other names are ignored.</summary>
    private static Answer Read(IDnsQueryResponse response, DnsQuestion question)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { question.QueryName.Value };
        for (var known = 0; known < names.Count;)
        {
            known = names.Count;
            names.UnionWith(response.Answers.OfType<CNameRecord>().Where(record => names.Contains(record.DomainName.Value)).Select(static record => record.CanonicalName.Value));
        }

        AddressRecord[] records =
        [
            .. response.Answers.OfType<AddressRecord>()
                .Where(record => (int)record.RecordType == (int)question.QuestionType && names.Contains(record.DomainName.Value)),
        ];
        var lifetime = response.Answers.Count > 0 ? TimeSpan.FromSeconds(response.Answers.Min(static record => record.TimeToLive)) : AddressCache.Longest;
        return new Answer([.. records.Select(static record => record.Address).Distinct()], lifetime, Failed: false);
    }

    private ResolverSettings OfSystem()
    {
        var now = _time.GetTimestamp();
        if (_system is not { } known || _time.GetElapsedTime(Volatile.Read(ref _systemRead), now) > SettingsAge)
        {
            _system = known = ResolverSettings.OfSystem(_settingsPath);
            Volatile.Write(ref _systemRead, now);
        }

        return known;
    }

    private sealed record Answer(IPAddress[] Addresses, TimeSpan Lifetime, bool Failed)
    {
        public static readonly Answer None = new([], TimeSpan.Zero, Failed: true);

        public static readonly Answer NoSuchName = new([], TimeSpan.Zero, Failed: false);
    }
}

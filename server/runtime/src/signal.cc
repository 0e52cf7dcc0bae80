#include <csignal>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <runtime/signal.h>

namespace runtime {

namespace asio = boost::asio;

struct Notifier::Waiter {
    explicit Waiter(const asio::any_io_executor& executor) : timer(executor) {}
    asio::steady_timer timer;
    bool notified = false;
    bool listed = true;
};

Notifier::Notifier(Runtime& runtime) : runtime_(runtime) {}

Notifier::~Notifier() {
    for (Waiter* waiter : list_) {
        waiter->listed = false;
        waiter->timer.cancel();
    }
}

void Notifier::notify() {
    std::list<Waiter*> woken;
    woken.swap(list_);
    waiters_ = 0;
    for (Waiter* waiter : woken) {
        waiter->notified = true;
        waiter->listed = false;
        waiter->timer.cancel();
    }
}

Task<bool> Notifier::wait(std::chrono::steady_clock::duration limit) {
    Waiter waiter(runtime_.executor());
    waiter.timer.expires_after(limit);
    // Taken back on every way out, a coroutine that is destroyed while it waits included.
    struct Listing {
        Notifier& notifier;
        Waiter& waiter;
        std::list<Waiter*>::iterator place;
        ~Listing() {
            if (!waiter.listed) return;
            notifier.list_.erase(place);
            --notifier.waiters_;
        }
    } listing{*this, waiter, list_.insert(list_.end(), &waiter)};
    ++waiters_;
    boost::system::error_code ignored;  // the reason to end is in `notified`
    co_await waiter.timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return waiter.notified;
}

Task<int> wait_for_shutdown_signal() {
    asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
    boost::system::error_code ignored;
    co_return co_await signals.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace runtime
